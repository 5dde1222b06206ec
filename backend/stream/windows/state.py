"""All that the windows know at a moment: events go in, totals come out (rows.py), and it can be kept and put back (snapshot.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import cast

import numpy as np

from backend.events import BotPerformance, CommissionEvent, Event, LeadInteraction
from backend.stream.windows import contributions, deals, talks
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, MONEY_MEASURES, PLACE_MEASURES
from backend.stream.windows.counters import Counters
from backend.stream.windows.dedupe import MOST_IDS, Seen
from backend.stream.windows.distinct import ExactLeads, SketchedLeads
from backend.stream.windows.histogram import CELLS, Histograms, cells
from backend.stream.windows.panes import Ints
from backend.stream.windows.spans import BASE, DAY, FUTURE, SECOND, SPANS, Span
from backend.stream.windows.tables import Table
from backend.stream.windows.watermark import Watermark

MOST_BOTS = 500
_MONEY_AT = PLACE_MEASURES.index(MONEY_MEASURES[0])
_TALKS_AT = [BOT_MEASURES.index(name) for name in ("conversations", "qualified")]


class Windows:
    """Pure: time comes in as microseconds, and nothing goes out. Events in any order, late or twice, lead to the same totals."""

    def __init__(self, *, most_ids: int = MOST_IDS) -> None:
        self.locations: dict[int, int] = {}
        """Offices: UUID as a number → location key. Events of others are passed over."""
        self.watermark = Watermark()
        self.seen = Seen(most_ids)
        self.places: Table[int] = Table(len(PLACE_MEASURES))
        self.bots: Table[tuple[int, str]] = Table(len(BOT_MEASURES))
        self.histograms = tuple(Histograms(span) for span in SPANS)
        self.leads = (ExactLeads(), SketchedLeads(), SketchedLeads())
        self.leads_changed: tuple[set[int], ...] = (set(), set(), set())
        self.talks = talks.Talks()
        self.deals = deals.Deals()
        self.counters = Counters()
        self.evicted: set[tuple[int, int]] = set()
        """(number of the span, pane) that fell out since the last snapshot."""
        self.forgot_until = 0
        """Ids of events before this moment are forgotten."""
        self._bot_ids: set[str] = set()
        self._lead_counts = contributions.LeadCounts()
        self._bot_counts = contributions.BotCounts()

    def strangers(self, events: Collection[Event]) -> set[int]:
        """Offices (UUID as a number) that are not known yet."""
        return {e.location_id.int for e in events if e.location_id is not None} - self.locations.keys()

    def take(self, stream: str, events: Sequence[Event], now: int) -> None:
        """Count these events of one stream, by our clock's `now`."""
        taken, moments = self._in_time(events, now)
        taken, moments = self._known(taken, moments)
        if not taken:
            return
        self.watermark.heard(stream, int(moments.max()), now)
        self.advance(now)
        taken, moments = self._new(taken, moments)
        if not taken:
            return
        self.counters.events += len(taken)
        if isinstance(taken[0], LeadInteraction):
            self._take_leads(cast("Sequence[LeadInteraction]", taken), moments)
        elif isinstance(taken[0], BotPerformance):
            self._take_bots(cast("Sequence[BotPerformance]", taken), moments)
        else:
            self._take_deals(cast("Sequence[CommissionEvent]", taken), moments)

    def advance(self, now: int) -> None:
        """Move the windows on with the watermark: what is older falls out, also when nothing comes."""
        at = self.watermark.advance(now)
        newest = self.watermark.newest
        if at is None or newest is None:
            return
        for number, span in enumerate(SPANS):
            head = max(at // span.pane, newest // span.pane - span.ahead)
            self._advance(number, span, head)
        if self.oldest != self.forgot_until:
            self.forgot_until = self.oldest
            self.seen.forget_until(self.oldest // BASE - 1)
        self.talks.forget(at)

    @property
    def oldest(self) -> int:
        """The first moment that the longest window still holds (µs)."""
        head = self.places.rings[-1].head
        return 0 if head is None else (head - DAY.keep + 1) * DAY.pane

    @property
    def nbytes(self) -> int:
        """Of rings and histograms."""
        rings = sum(ring.nbytes for table in (self.places, self.bots) for ring in table.rings)
        return rings + sum(histograms.nbytes for histograms in self.histograms)

    def _advance(self, number: int, span: Span, head: int) -> None:
        ring = self.places.rings[number]
        if ring.head is not None and head <= ring.head:
            return
        gone = ring.advance(head)
        self.bots.rings[number].advance(head)
        self.histograms[number].drop(gone)
        self.leads_changed[number].update(self.leads[number].drop(gone))
        self.evicted.update((number, pane) for pane in gone)

    def _in_time(self, events: Sequence[Event], now: int) -> tuple[Sequence[Event], Ints]:
        """Without those from the future, and those older than every window."""
        moments = moments_of(events)
        wrong = moments > now + FUTURE
        old = moments < self.oldest
        self.counters.quarantined += int(wrong.sum())
        if old.any():
            self.counters.late_events_total += int(old.sum())
            self._learn(*_kept(events, moments, old & (moments >= self.oldest - DAY.length)))
        return _kept(events, moments, ~(wrong | old))

    def _learn(self, events: Sequence[Event], moments: Ints) -> None:
        """What is older than every window counts nowhere itself, but may be a first reply, or what a deal was before."""
        events, moments = self._known(events, moments)
        if not events:
            return
        if isinstance(events[0], BotPerformance):
            self._follow_talks(cast("Sequence[BotPerformance]", events), moments)
        elif isinstance(events[0], CommissionEvent):
            self._take_deals(cast("Sequence[CommissionEvent]", events), moments)

    def _known(self, events: Sequence[Event], moments: Ints) -> tuple[Sequence[Event], Ints]:
        """Of offices that there are, and of not too many bots."""
        if not self.strangers(events) and not self._odd(events):
            return events, moments
        fits = np.array([self._fits(event) for event in events], bool)
        self.counters.skipped += int((~fits).sum())
        return _kept(events, moments, fits)

    def _odd(self, events: Sequence[Event]) -> bool:
        """Is there anything but bots and deals that are taken without a closer look?"""
        if not events or isinstance(events[0], LeadInteraction):
            return False
        if isinstance(events[0], BotPerformance):
            return not {e.bot_id for e in events} <= self._bot_ids  # type: ignore[union-attr]
        return True

    def _fits(self, event: Event) -> bool:
        if event.location_id is None or event.location_id.int not in self.locations:
            return False
        if isinstance(event, BotPerformance):
            return event.bot_id in self._bot_ids or self.know_bot(event.bot_id)
        return not isinstance(event, CommissionEvent) or _is_day(event.closed_on)

    def know_bot(self, bot_id: str) -> bool:
        """False: there are too many already."""
        if len(self._bot_ids) >= MOST_BOTS:
            return False
        self._bot_ids.add(bot_id)
        return True

    def _new(self, events: Sequence[Event], moments: Ints) -> tuple[Sequence[Event], Ints]:
        """Without repeats."""
        ids = [hash(event.event_id.int) for event in events]
        repeats = self.seen.repeats(moments // BASE, ids)
        self.counters.forgotten_ids = self.seen.forgotten
        self.counters.duplicates += len(repeats)
        fresh = np.ones(len(events), bool)
        fresh[repeats] = False
        events, moments = _kept(events, moments, fresh)
        if self.watermark.at is not None:
            self.counters.late += int((moments < self.watermark.at).sum())
        return events, moments

    def _take_leads(self, events: Sequence[LeadInteraction], moments: Ints) -> None:
        known = self.locations
        locations = [known[event.location_id.int] for event in events]
        self.places.add(moments, self.places.places(locations), self._lead_counts.rows(events))
        leads = [hash(event.lead_id.int) for event in events]
        came: dict[tuple[int, int], set[int]] = {}
        for base, location, lead in zip((moments // BASE).tolist(), locations, leads, strict=True):
            if (base, location) in came:
                came[base, location].add(lead)
            else:
                came[base, location] = {lead}
        self.add_leads(came)

    def add_leads(self, came: Mapping[tuple[int, int], set[int]]) -> None:
        """By base pane and location key."""
        for number, ring in enumerate(self.places.rings):
            assert ring.head is not None
            first, last, bases = ring.head - ring.span.keep, ring.head + ring.span.ahead, ring.span.bases
            for (base, location), leads in came.items():
                if first < base // bases <= last:
                    self.leads[number].add(base // bases, location, leads)
                    self.leads_changed[number].add(location)

    def _take_bots(self, events: Sequence[BotPerformance], moments: Ints) -> None:
        known = self.locations
        locations = [known[event.location_id.int] for event in events]
        keys = [(location, event.bot_id) for location, event in zip(locations, events, strict=True)]
        places = self.bots.places(keys)
        rows = self._bot_counts.rows(events)
        at, kinds, us = contributions.timed(events, rows)
        self.bots.add(moments, places, rows)
        self.add_latencies(moments[at], places[at], kinds, cells(us), np.ones(len(us), np.int64))
        self._follow_talks(events, moments)

    def _follow_talks(self, events: Sequence[BotPerformance], moments: Ints) -> None:
        locations = [self.locations[event.location_id.int] for event in events]
        self.count_talks(self.talks.take(events, moments.tolist(), locations))

    def add_latencies(self, moments: Ints, places: Ints, kinds: Ints, at_cells: Ints, counts: Ints) -> None:
        """`places` are those of `self.bots`."""
        codes = (places * len(KINDS) + kinds) * CELLS + at_cells
        for ring, histograms in zip(self.bots.rings, self.histograms, strict=True):
            histograms.widen(len(self.bots.keys) * len(KINDS))
            panes = moments // ring.span.pane
            held = ring.holds(panes)
            if held.any():
                histograms.add(panes[held], codes[held], counts[held])

    def count_talks(self, counted: Sequence[talks.Counted]) -> None:
        if not counted:
            return
        rows = np.zeros((len(counted), len(BOT_MEASURES)), np.int64)
        rows[:, _TALKS_AT] = [(one.conversations, one.qualified) for one in counted]
        places = self.bots.places([(one.location, one.bot) for one in counted])
        self.bots.add(np.array([one.moment for one in counted], np.int64), places, rows)

    def _take_deals(self, events: Sequence[CommissionEvent], moments: Ints) -> None:
        changes: list[deals.Change] = []
        for event, moment in zip(events, moments.tolist(), strict=True):
            state = deals.state_of(event, moment, self.locations[event.location_id.int])
            changes += self.deals.take(event.deal_id.int, state, self.oldest)
        self.count_deals(changes)

    def count_deals(self, changes: Sequence[deals.Change]) -> None:
        if not changes:
            return
        rows = np.zeros((len(changes), len(PLACE_MEASURES)), np.int64)
        rows[:, _MONEY_AT : _MONEY_AT + len(MONEY_MEASURES)] = [change.amounts for change in changes]
        places = self.places.places([change.location for change in changes])
        self.places.add(np.array([change.moment for change in changes], np.int64), places, rows)


def moments_of(events: Sequence[Event]) -> Ints:
    """In µs since 1970, exactly: a double holds them until the year 2255."""
    seconds = np.array([event.occurred_at.timestamp() for event in events], np.float64)
    return np.rint(seconds * SECOND).astype(np.int64)


def _kept(
    events: Sequence[Event], moments: Ints, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[Sequence[Event], Ints]:
    if wanted.all():
        return events, moments
    return [event for event, keep in zip(events, wanted.tolist(), strict=True) if keep], moments[wanted]


def _is_day(said: str | None) -> bool:
    try:
        return said is None or bool(date.fromisoformat(said))
    except ValueError:
        return False
