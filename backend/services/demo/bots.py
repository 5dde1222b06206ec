"""What the four bots did in a played story, as they would report it: talks, turns, hand-offs, errors, how good it was.

The story says when a bot wrote and whether they replied; who wrote, and what went wrong, is thrown here with dice of the lead's own,
so that the brokerage itself stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from backend.events import BotPerformance
from backend.services.demo.model import Dice, Values
from backend.services.demo.story import Story
from domain import leads

SELLER, BUYER, LEAD, DECODER = "jorge-seller", "jorge-buyer", "lead-bot", "intent-decoder"

_ERRORS = (("timeout", 0.5), ("rate_limited", 0.3), ("model_unavailable", 0.2))
_ERROR_RATE = 0.012
_BAD_DAY_RATE = 0.14
_BAD_DAYS = 53
"""One day in so many is a bad one for the models behind the bots."""
_BY_LEAD_BOT = 0.30
_WRONG_WAY = 0.07
_PING_PONG = 0.03
_STORM = 0.004
_SURE = 0.7
_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """One conversation: what the story says of it, and who begins it."""

    story: Story
    dice: Dice
    id: UUID
    events: Sequence[Values]
    specialist: str
    opener: str

    @property
    def begins(self) -> datetime:
        at: datetime = self.events[0]["occurred_at"]
        return at - timedelta(seconds=2)

    def reply(self) -> datetime | None:
        """When they first answered."""
        return next((event["occurred_at"] for event in self.events if event["replied"]), None)

    def event(self, at: datetime, bot: str, kind: str, **more: Any) -> BotPerformance:
        return _made(self.story, self.dice, at, bot, kind, conversation_id=self.id, **more)


def events(story: Story) -> Iterator[BotPerformance]:
    """All that its bots reported, up to now."""
    dice = Dice(UUID(story.lead_id).int & 0xFFFF_FFFF)
    told = [event for event in _told(story, dice) if event.occurred_at <= story.now]
    yield from told
    for event in told:
        if event.event_type in {"turn", "scored"} and dice.chance(_error_rate(event.occurred_at)):
            yield _made(
                story,
                dice,
                event.occurred_at,
                event.bot_id,
                "error",
                conversation_id=event.conversation_id,
                success=False,
                reason=dice.weighted(_ERRORS),
            )


def _told(story: Story, dice: Dice) -> Iterator[BotPerformance]:
    talk = _talk(story, dice)
    for event in story.bot_events:
        if event["conversation_id"] is None:
            yield _told_by_story(event, event["bot_id"])
    if talk is not None:
        yield talk.event(talk.begins, talk.opener, "conversation_started")
        yield from _turns(talk)
        yield from _handoffs(talk)
        yield _end(talk)


def _talk(story: Story, dice: Dice) -> _Talk | None:
    said = [event for event in story.bot_events if event["conversation_id"] is not None]
    if not said:
        return None
    by_lead_bot = story.person.source.channel in {"call", "visit"} or dice.chance(_BY_LEAD_BOT)
    specialist = SELLER if story.person.kind is leads.Kind.SELLER else BUYER
    return _Talk(
        story=story,
        dice=dice,
        id=UUID(said[0]["conversation_id"]),
        events=said,
        specialist=specialist,
        opener=LEAD if by_lead_bot else specialist,
    )


def _turns(talk: _Talk) -> Iterator[BotPerformance]:
    """Up to the first answer by who began, then by who knows more of it."""
    reply = talk.reply()
    for event in talk.events:
        early = reply is None or event["occurred_at"] <= reply
        quality = _quality(talk, event["occurred_at"]) if event["replied"] else None
        yield _told_by_story(event, talk.opener if early else talk.specialist, quality=quality)


def _handoffs(talk: _Talk) -> Iterator[BotPerformance]:
    """lead-bot gives the talk to who knows more of it, now and then by way of the wrong one; some go to and fro."""
    dice, at = talk.dice, talk.reply()
    if at is None:
        return
    other = BUYER if talk.specialist == SELLER else SELLER
    if talk.opener == LEAD:
        route = [LEAD, other, talk.specialist] if dice.chance(_WRONG_WAY) else [LEAD, talk.specialist]
        if dice.chance(0.1):
            route.insert(0, DECODER)
        yield from _along(talk, route, at, "kind_detected", seconds=40)
    if dice.chance(_STORM):
        yield from _along(talk, [talk.specialist, other] * 3, at, "unclear_intent", seconds=500)
    elif dice.chance(_PING_PONG):
        yield from _along(talk, [talk.specialist, other, talk.specialist], at, "asks_about_both", seconds=600)
    elif dice.chance(0.05):
        yield from _along(talk, [talk.specialist, LEAD], at + timedelta(hours=20), "gone_quiet", seconds=60)


def _along(
    talk: _Talk, route: Sequence[str], at: datetime, reason: str, *, seconds: float
) -> Iterator[BotPerformance]:
    for giver, taker in pairwise(route):
        at += timedelta(seconds=talk.dice.lognormal(seconds, 0.4))
        sure = round(min(0.99, max(0.4, talk.dice.rng.gauss(0.86, 0.07))), 3)
        yield talk.event(
            at, giver, "handoff", to_bot_id=taker, confidence=sure, success=sure >= _SURE, reason=reason
        )


def _end(talk: _Talk) -> BotPerformance:
    last: datetime = talk.events[-1]["occurred_at"]
    qualified = [event for event in talk.events if event["event_type"] == "qualified"]
    if talk.story.opted_out_words and talk.story.opted_out_at and talk.story.opted_out_at >= last:
        reason = "opted_out"
    else:
        reason = "answered" if qualified else "no_reply"
    return talk.event(
        last + timedelta(minutes=talk.dice.lognormal(30, 0.3)),
        talk.specialist if talk.reply() else talk.opener,
        "conversation_ended",
        success=bool(qualified and qualified[0]["success"]),
        quality=_quality(talk, last),
        reason=reason,
    )


def _quality(talk: _Talk, at: datetime) -> float:
    """Better with who is readier, and a little better every month; worse on bad days."""
    year = 1 - (talk.story.now - at).total_seconds() / 86400 / _YEAR
    mean = 0.56 + 0.22 * talk.story.person.readiness + 0.07 * year - 0.15 * _is_bad_day(at)
    return round(min(1.0, max(0.0, talk.dice.rng.gauss(mean, 0.09))), 3)


def _is_bad_day(at: datetime) -> bool:
    return at.toordinal() % _BAD_DAYS == 0


def _error_rate(at: datetime) -> float:
    return _BAD_DAY_RATE if _is_bad_day(at) else _ERROR_RATE


def _told_by_story(event: Values, bot: str, *, quality: float | None = None) -> BotPerformance:
    return BotPerformance(
        event_id=UUID(event["id"]),
        occurred_at=event["occurred_at"],
        event_type=event["event_type"],
        location_id=UUID(event["location_id"]),
        bot_id=bot,
        lead_id=UUID(event["lead_id"]),
        conversation_id=UUID(event["conversation_id"]) if event["conversation_id"] else None,
        confidence=event["confidence"],
        quality=quality,
        processing_ms=event["processing_ms"],
        success=event["success"],
        replied=event["replied"],
    )


def _made(story: Story, dice: Dice, at: datetime, bot: str, kind: Any, **more: Any) -> BotPerformance:
    return BotPerformance(
        event_id=UUID(dice.id(at)),
        occurred_at=at,
        event_type=kind,
        location_id=UUID(story.location_id),
        bot_id=bot,
        lead_id=UUID(story.lead_id),
        **more,
    )
