"""What the windows must say, counted the slow way: every event again for every window, each once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from backend.epoch import micros
from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction
from backend.storage.warehouse import staging
from backend.storage.warehouse.scope import ALL
from backend.stream.windows.contributions import BOT_MEASURES, PLACE_MEASURES
from backend.stream.windows.spans import FUTURE, SPANS
from backend.stream.windows.state import Windows
from tests.backend.stream.windows.world import NOW_US, OFFICES

COUNTED = (*PLACE_MEASURES, *BOT_MEASURES, "leads")
_BY_TYPE = {
    "message": "messages",
    "call": "calls",
    "visit": "meetings",
    "showing": "meetings",
    "open_house": "meetings",
    "stage_changed": "stage_changes",
}


@dataclass(slots=True)
class _Counts:
    """Of one window that begins at `first`."""

    first: int
    sums: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    leads: defaultdict[int, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def holds(self, event: Event) -> bool:
        return micros(event.occurred_at) >= self.first

    def count(self, office: UUID, name: str, n: int = 1) -> None:
        for place in (OFFICES[office], ALL):
            self.sums[place][name] += n


def counted(
    windows: Windows, events: Iterable[tuple[str, Event]], now: int = NOW_US
) -> dict[tuple[int, str], dict[str, int]]:
    """The measures of every location and window, by the panes that the windows cover."""
    once = {
        (type(event), event.event_id): event
        for _, event in events
        if micros(event.occurred_at) <= now + FUTURE
    }
    found = {}
    for number, span in enumerate(SPANS):
        head = windows.places.rings[number].head
        counts = _Counts(first=0 if head is None else (head - span.keep + 1) * span.pane)
        if head is not None:
            _count(list(once.values()), counts)
        for place in (*OFFICES.values(), ALL):
            found[place, span.name] = {name: counts.sums[place][name] for name in COUNTED[:-1]}
            found[place, span.name]["leads"] = len(counts.leads[place])
    return found


def _count(events: Sequence[Event], counts: _Counts) -> None:
    for event in filter(counts.holds, events):
        if isinstance(event, LeadInteraction):
            _count_lead(event, counts)
        elif isinstance(event, BotPerformance):
            _count_bot(event, counts)
    _count_talks([e for e in events if isinstance(e, BotPerformance)], counts)
    _count_deals([e for e in events if isinstance(e, CommissionEvent)], counts)


def _count_lead(event: LeadInteraction, counts: _Counts) -> None:
    for place in (OFFICES[event.location_id], ALL):
        counts.leads[place].add(event.lead_id)
    for name in ("interactions", event.direction, event.temperature, _BY_TYPE.get(event.event_type)):
        if name:
            counts.count(event.location_id, name)


def _count_bot(event: BotPerformance, counts: _Counts) -> None:
    def count(holds: object, name: str, n: int = 1) -> None:
        if holds:
            counts.count(event.location_id, name, n)

    us = round((event.processing_ms or 0) * 1000)
    timed = event.processing_ms is not None
    count(True, "bot_events")
    count(event.event_type == "turn", "turns")
    count(event.event_type == "turn" and timed, "timed_turns")
    count(event.event_type == "turn" and timed, "turns_us", us)
    count(event.event_type == "scored" and timed, "scored")
    count(event.event_type == "scored" and timed, "scored_us", us)
    count(event.event_type == "error", "bot_errors")
    count(event.event_type == "handoff", "handoffs")
    count(event.replied, "replies")
    count(event.confidence is not None, "confident")
    count(event.confidence is not None, "confidence_bp", round((event.confidence or 0) * 10_000))
    count(event.quality is not None, "rated")
    count(event.quality is not None, "quality_bp", round((event.quality or 0) * 10_000))


def _count_talks(events: Sequence[BotPerformance], counts: _Counts) -> None:
    talks: defaultdict[UUID, list[BotPerformance]] = defaultdict(list)
    for event in events:
        if event.conversation_id:
            talks[event.conversation_id].append(event)
    for held in talks.values():
        began = min(held, key=lambda e: (e.occurred_at, e.event_id.int))
        replies = [event for event in held if event.replied]
        if replies and counts.holds(min(replies, key=lambda e: e.occurred_at)):
            counts.count(began.location_id, "conversations")
            if any(e.event_type == "qualified" and e.success is not False for e in held):
                counts.count(began.location_id, "qualified")


def _count_deals(events: Sequence[CommissionEvent], counts: _Counts) -> None:
    deals: defaultdict[UUID, list[CommissionEvent]] = defaultdict(list)
    for event in sorted(events, key=lambda e: (e.occurred_at, e.event_id.int)):
        deals[event.deal_id].append(event)
    for states in deals.values():
        if counts.holds(states[0]):
            counts.count(states[0].location_id, "deals_added")
        for before, state in zip([None, *states], states, strict=False):
            if counts.holds(state):
                _count_state(state, 1, counts)
                if before is not None:
                    _count_state(before, -1, counts)


def _count_state(state: CommissionEvent, sign: int, counts: _Counts) -> None:
    if state.stage == "lost":
        counts.count(state.location_id, "deals_lost", sign)
    if state.stage == "closed":
        counts.count(state.location_id, "deals_won", sign)
        counts.count(state.location_id, "won_price_cents", sign * state.price_cents)
        counts.count(state.location_id, "won_gross_cents", sign * staging.money(state)[1])
        counts.count(state.location_id, "won_company_cents", sign * (state.company_cents or 0))
