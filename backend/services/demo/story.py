"""One lead's year: first word, the bot's questions, then an agent's touches until the deal closes, dies or is open today."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backend.services.demo import words
from backend.services.demo.model import Dice, Person, Values
from domain import leads
from domain.leads import Stage

# Days between two touches, chance of the next stage in a week of talking (base + by readiness), and of losing them.
_GAP = {
    Stage.CONTACTED: 7.0,
    Stage.QUALIFIED: 5.0,
    Stage.AGREEMENT: 4.0,
    Stage.OFFER: 2.0,
    Stage.CONTRACT: 4.0,
}
_ON = {
    Stage.CONTACTED: (0.0, 0.26),
    Stage.QUALIFIED: (0.0, 0.13),
    Stage.AGREEMENT: (0.12, 0.30),
    Stage.OFFER: (0.45, 0.30),
}
_LOST = {
    Stage.CONTACTED: 0.050,
    Stage.QUALIFIED: 0.040,
    Stage.AGREEMENT: 0.025,
    Stage.OFFER: 0.06,
    Stage.CONTRACT: 0.012,
}
_NEXT = {
    Stage.CONTACTED: Stage.QUALIFIED,
    Stage.QUALIFIED: Stage.AGREEMENT,
    Stage.AGREEMENT: Stage.OFFER,
    Stage.OFFER: Stage.CONTRACT,
}
_SILENT_DAYS = 45
_ESCROW_DAYS = 34.0


@dataclass(slots=True, kw_only=True)
class Story:
    """Plays one lead from arrival to `now`; what happened is in `interactions` and `bot_events`."""

    dice: Dice
    now: datetime
    zone: ZoneInfo
    person: Person
    lead_id: str
    location_id: str
    agent_id: str
    agent_name: str
    arrived: datetime
    stage: Stage = Stage.NEW
    stage_reason: str | None = None
    stages: list[tuple[datetime, Stage]] = field(default_factory=list)
    stage_since: datetime = field(init=False)
    last_inbound: datetime = field(init=False)
    last_touch: datetime | None = None
    qualified_at: datetime | None = None
    contract_at: datetime | None = None
    closed_at: datetime | None = None
    opted_out_words: str | None = None
    opted_out_at: datetime | None = None
    answered: dict[str, str] = field(default_factory=dict)
    human: bool = False
    latencies: list[float] = field(default_factory=list)
    calls: list[bool] = field(default_factory=list)
    interactions: list[Values] = field(default_factory=list)
    bot_events: list[Values] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage_since = self.last_inbound = self.arrived
        self.stages.append((self.arrived, Stage.NEW))

    def play(self) -> None:
        self._arrive()
        at = self._bot_talk(self.arrived)
        if not self.opted_out_words:
            self._agent_years(at)

    def _say(self, at: datetime, kind: str, channel: str, body: str, **more: object) -> None:
        inbound = more.get("direction") == "inbound"
        self.interactions.append(
            {
                "id": self.dice.id(at),
                "location_id": self.location_id,
                "created_at": at,
                "lead_id": self.lead_id,
                "kind": kind,
                "channel": channel,
                "occurred_at": at,
                "body": body,
                "agent_id": None,
                "bot_id": None,
                "direction": "outbound",
                "outcome": None,
                "seconds": None,
                **more,
            }
        )
        if inbound:
            self.last_inbound = at
            self._event(at, "intent-decoder", "scored", self.dice.lognormal(21, 0.42))

    def _event(self, at: datetime, bot: str, kind: str, ms: float | None = None, **more: object) -> None:
        self.bot_events.append(
            {
                "id": self.dice.id(at),
                "location_id": self.location_id,
                "bot_id": bot,
                "lead_id": self.lead_id,
                "conversation_id": None,
                "event_type": kind,
                "occurred_at": at,
                "processing_ms": None if ms is None else round(ms, 2),
                "confidence": round(min(0.99, max(0.3, self.dice.rng.gauss(0.82, 0.1))), 3),
                "success": True,
                "replied": None,
                **more,
            }
        )

    def _fill(self, text: str) -> str:
        person = self.person
        return text.format(
            first=person.first,
            street=person.street,
            city=person.home.area.city,
            agent=self.agent_name.split()[0],
            price=f"${person.price_cents // 100:,}",
            days=person.facts["timeline_days"],
        )

    def _arrive(self) -> None:
        source = self.person.source
        kind = {"web": "form", "text": "message", "call": "call", "visit": "open_house"}[source.channel]
        body = self._fill(self.dice.pick(words.FIRST[self.person.kind]))
        self._say(self.arrived, kind, source.channel, body, direction="inbound")

    def _bot_talk(self, at: datetime) -> datetime:
        """Up to four questions; each unanswered one ends it. Answers when it ended."""
        conversation = self.dice.id(at)
        bot = "jorge-seller" if self.person.kind is leads.Kind.SELLER else "jorge-buyer"
        for question in leads.QUESTIONS[self.person.kind]:
            at += timedelta(seconds=self.dice.lognormal(35, 0.5))
            if at > self.now:
                return at
            self._say(at, "bot_turn", "text", self._fill(words.QUESTIONS[question]), bot_id=bot)
            replied = self.dice.chance(0.42 + 0.52 * self.person.readiness)
            self._event(
                at, bot, "turn", self.dice.lognormal(140, 0.5), conversation_id=conversation, replied=False
            )
            if not replied:
                return at
            waited = self.dice.lognormal(9 + 70 * (1 - self.person.readiness), 1.0)
            at += timedelta(minutes=waited)
            if at > self.now:
                return at
            self._reply(at, waited, question, conversation, bot)
            if self.opted_out_words:
                return at
        self._event(at, bot, "qualified", conversation_id=conversation, success=self.person.readiness > 0.30)
        return at

    def _reply(self, at: datetime, waited: float, question: str, conversation: str, bot: str) -> None:
        self.latencies.append(waited)
        if self.dice.chance(0.006):
            self._opt_out(at)
            return
        answer = self.person.answers[question]
        self.answered[question] = answer
        self._say(at, "message", "text", answer.capitalize() + ".", direction="inbound")
        self._event(
            at, bot, "turn", self.dice.lognormal(140, 0.5), conversation_id=conversation, replied=True
        )

    def _opt_out(self, at: datetime) -> None:
        said = self.dice.pick(words.STOPS)
        self._say(at, "message", "text", said, direction="inbound")
        self.opted_out_words, self.opted_out_at = said, at

    def _agent_years(self, at: datetime) -> None:
        """Touches follow each other until the lead is closed, lost, opted out, or today is reached."""
        at = self._office_hours(at + timedelta(minutes=self.dice.lognormal(40, 1.1)))
        while at <= self.now and leads.is_open(self.stage) and not self.opted_out_words:
            if self.stage is Stage.NEW:
                self._move(Stage.CONTACTED, at)
            engaged = self._touch(at)
            self._maybe_move(at, engaged)
            at = self._office_hours(at + timedelta(days=self._gap(at)))

    def _gap(self, at: datetime) -> float:
        mean = _GAP.get(self.stage, 7.0)
        silent = (at - self.last_inbound).days
        if silent > _SILENT_DAYS and self.stage in (Stage.CONTACTED, Stage.QUALIFIED):
            mean = 24.0
        return max(0.15, self.dice.lognormal(mean, 0.5))

    def _office_hours(self, at: datetime) -> datetime:
        """Inside 9:00 to 19:00 local time."""
        local = at.astimezone(self.zone)
        if not 9 <= local.hour < 19:
            later = local + timedelta(days=1 if local.hour >= 19 else 0)
            local = later.replace(hour=9 + self.dice.rng.randrange(3), minute=self.dice.rng.randrange(60))
        return local.astimezone(at.tzinfo)

    def _touch(self, at: datetime) -> bool:
        """One outbound contact; did they talk back?"""
        self.human, self.last_touch = True, at
        silent = (at - self.last_inbound).days
        answers = (0.16 + 0.62 * self.person.readiness) * math.exp(-silent / 70)
        meets = self.stage in (Stage.QUALIFIED, Stage.AGREEMENT, Stage.OFFER) and silent < 30
        how = self.dice.weighted(
            (("text", 0.44), ("call", 0.32), ("email", 0.14), ("visit", 0.22 if meets else 0))
        )
        if how == "visit":
            return self._visit(at)
        if how == "call":
            return self._call(at, answers)
        body = self.dice.pick(words.AGENT_TEXTS if how == "text" else words.EMAILS)
        self._say(at, "message", how, self._fill(body), agent_id=self.agent_id)
        return self._answered(at, how, answers)

    def _visit(self, at: datetime) -> bool:
        outcome = "kept" if self.dice.chance(0.80) else "no-show"
        kind = "visit" if self.person.kind is leads.Kind.SELLER else "showing"
        body = self.dice.pick(words.VISITS[outcome])
        self._say(at, kind, "visit", body, agent_id=self.agent_id, outcome=outcome)
        if outcome == "kept":
            self.last_inbound = at
        return outcome == "kept"

    def _call(self, at: datetime, answers: float) -> bool:
        taken = self.dice.chance(min(0.9, answers * 1.1))
        self.calls.append(taken)
        seconds = round(self.dice.lognormal(240, 0.8)) if taken else None
        outcome = "answered" if taken else self.dice.pick(("no answer", "voicemail"))
        self._say(at, "call", "call", "", agent_id=self.agent_id, outcome=outcome, seconds=seconds)
        if taken:
            self.last_inbound = at
        return taken

    def _answered(self, at: datetime, channel: str, answers: float) -> bool:
        if not self.dice.chance(answers):
            return False
        waited = self.dice.lognormal(20 + 240 * (1 - self.person.readiness), 1.0)
        at += timedelta(minutes=waited)
        if at > self.now:
            return False
        self.latencies.append(waited)
        if self.dice.chance(0.005):
            self._opt_out(at)
            return False
        self._say(at, "message", channel, self.dice.pick(words.LEAD_REPLIES), direction="inbound")
        if missing := [q for q in leads.QUESTIONS[self.person.kind] if q not in self.answered]:
            self.answered[missing[0]] = self.person.answers[missing[0]]
        return True

    def _maybe_move(self, at: datetime, engaged: bool) -> None:
        """The hazard of the next stage while they talk, and of losing them while they don't."""
        weeks = _GAP.get(self.stage, 7.0) / 7
        if self.stage is Stage.CONTRACT:
            self._maybe_close(at, weeks)
            return
        base, by_readiness = _ON.get(self.stage, (0.0, 0.0))
        if engaged and self.dice.chance(
            1 - math.exp(-2.0 * weeks * (base + by_readiness * self.person.readiness))
        ):
            self._move(_NEXT[self.stage], at)
        elif not engaged and self.dice.chance(1 - math.exp(-weeks * _LOST.get(self.stage, 0.0))):
            self._lose(at)

    def _maybe_close(self, at: datetime, weeks: float) -> None:
        if self.dice.chance(1 - math.exp(-weeks * _LOST[Stage.CONTRACT])):
            self._lose(at)
        elif (at - self.stage_since).days > self.dice.rng.gauss(_ESCROW_DAYS, 6):
            self._move(Stage.CLOSED, at)
            self.closed_at = at

    def _move(self, stage: Stage, at: datetime) -> None:
        self.stage, self.stage_since, self.stage_reason = stage, at, None
        self.stages.append((at, stage))
        if stage is Stage.QUALIFIED:
            self.qualified_at = at
        if stage is Stage.CONTRACT:
            self.contract_at = at

    def _lose(self, at: datetime) -> None:
        self._move(Stage.LOST, at)
        self.stage_reason = self.dice.pick(words.LOST_REASONS)

    def write_now(self, at: datetime) -> None:
        """One more message from them, minutes before now: it waits for its answer."""
        self._say(at, "message", "text", self.dice.pick(words.LEAD_REPLIES), direction="inbound")
