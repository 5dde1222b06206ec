"""What an event adds to each measure: the SQL expressions of backend/metrics/measures.py, said again for whole batches.

tests/backend/stream/windows/test_contributions.py holds both against each other over the same events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.events import BotPerformance, LeadInteraction
from backend.metrics import MEASURES, measures
from backend.stream.windows.panes import Ints

LEAD_MEASURES = tuple(m.name for m in MEASURES.values() if m.fact == measures.LEADS)
MONEY_MEASURES = tuple(m.name for m in MEASURES.values() if m.fact == measures.MONEY)
TALK_MEASURES = tuple(m.name for m in MEASURES.values() if m.fact == measures.TALKS)
TURN_MEASURES = tuple(m.name for m in MEASURES.values() if m.fact == measures.BOTS)
PLACE_MEASURES = LEAD_MEASURES + MONEY_MEASURES
"""Kept by location."""
BOT_MEASURES = TURN_MEASURES + TALK_MEASURES
"""Kept by location and bot."""
KINDS = ("scored", "turn")
"""The kinds of events whose latencies are kept; their places are the numbers in the histograms."""

_MEETINGS = frozenset({"visit", "showing", "open_house"})
_BY_TYPE = {"message": "messages", "call": "calls", "stage_changed": "stage_changes"} | dict.fromkeys(
    _MEETINGS, "meetings"
)
_BASIS_POINTS = 10_000
_AT = {name: place for place, name in enumerate(BOT_MEASURES)}


class Signatures:
    """Events that count alike share a row of counts; a batch then only says which row each event is."""

    def __init__(self, width: int) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self._rows: list[Ints] = []
        self._table: Ints = np.zeros((0, width), np.int64)

    def number(self, signature: tuple[object, ...], names: Sequence[str], columns: Sequence[str]) -> int:
        """Learn that events of `signature` count one in each of `names`."""
        self._numbers[signature] = found = len(self._rows)
        self._rows.append(np.array([int(column in names) for column in columns], np.int64))
        self._table = np.array(self._rows)
        return found

    @property
    def known(self) -> Mapping[tuple[object, ...], int]:
        return self._numbers

    def rows(self, numbers: Sequence[int]) -> Ints:
        found: Ints = self._table[numbers]
        return found


class LeadCounts:
    """Lead interactions → rows of PLACE_MEASURES."""

    def __init__(self) -> None:
        self._signatures = Signatures(len(PLACE_MEASURES))

    def rows(self, events: Sequence[LeadInteraction]) -> Ints:
        signatures = [(e.event_type, e.direction, e.temperature) for e in events]
        known = self._signatures.known
        numbers = [known[s] if s in known else self._learn(s) for s in signatures]
        return self._signatures.rows(numbers)

    def _learn(self, signature: tuple[str, str | None, str | None]) -> int:
        event_type, direction, temperature = signature
        counted = ["interactions", _BY_TYPE.get(event_type, ""), direction or "", temperature or ""]
        return self._signatures.number(signature, counted, PLACE_MEASURES)


class BotCounts:
    """Bot events → rows of BOT_MEASURES (without those of conversations: talks.py), and what was timed."""

    def __init__(self) -> None:
        self._signatures = Signatures(len(BOT_MEASURES))

    def rows(self, events: Sequence[BotPerformance]) -> Ints:
        known = self._signatures.known
        numbers = [
            known[s] if s in known else self._learn(s)
            for s in [
                (
                    e.event_type,
                    e.replied,
                    e.processing_ms is None,
                    e.confidence is None,
                    e.quality is None,
                )
                for e in events
            ]
        ]
        rows = self._signatures.rows(numbers)
        _fill(rows, _AT["confidence_bp"], [e.confidence for e in events], _BASIS_POINTS)
        _fill(rows, _AT["quality_bp"], [e.quality for e in events], _BASIS_POINTS)
        return rows

    def _learn(self, signature: tuple[str, bool | None, bool, bool, bool]) -> int:
        event_type, replied, untimed, unsure, unrated = signature
        counted = ["bot_events"]
        counted += {"turn": ["turns"], "error": ["bot_errors"], "handoff": ["handoffs"]}.get(event_type, [])
        counted += ["replies"] if replied else []
        counted += {"turn": ["timed_turns"], "scored": ["scored"]}.get(event_type, []) if not untimed else []
        counted += [] if unsure else ["confident"]
        counted += [] if unrated else ["rated"]
        return self._signatures.number(signature, counted, BOT_MEASURES)


def timed(events: Sequence[BotPerformance], rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Fill in the summed times; for each timed event: its place in the batch, its kind, its microseconds."""
    found = [
        (place, KINDS.index(e.event_type), e.processing_ms)
        for place, e in enumerate(events)
        if e.processing_ms is not None and e.event_type in KINDS
    ]
    if not found:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    places, kinds, ms = (np.array(column) for column in zip(*found, strict=True))
    us = np.rint(ms * 1000).astype(np.int64)
    columns = np.array([_AT[name] for name in ("scored_us", "turns_us")])
    rows[places, columns[kinds]] = us
    return places, kinds, us


def _fill(rows: Ints, column: int, values: Sequence[float | None], scale: int) -> None:
    """As the facts keep it: whole, rounded half to even."""
    given = np.array([value or 0.0 for value in values])
    rows[:, column] = np.rint(given * scale).astype(np.int64)
