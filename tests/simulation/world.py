"""One thread, one seed, one clock: everything that happens in a simulated world happens here, in one order.

Nothing in a run may ask the machine for time or chance. What happens is noted in words; equal seeds give equal notes.
"""

from __future__ import annotations

import hashlib
import heapq
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import ids

EPOCH = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EPOCH_MS = int(EPOCH.timestamp() * 1000)
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


MOST_EVENTS = 40_000
"""Honest runs have about 4,000."""


class Violation(AssertionError):
    """An invariant does not hold: its name (I1 … I14) and what was seen."""

    def __init__(self, invariant: str, seen: str) -> None:
        super().__init__(f"{invariant}: {seen}")
        self.invariant = invariant


@dataclass(order=True, slots=True)
class Event:
    at_ms: int
    number: int
    do: Callable[[], None] = field(compare=False)
    dropped: bool = field(default=False, compare=False)

    def drop(self) -> None:
        self.dropped = True


class World:
    """The heap of what is to come. Milliseconds since the world began."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now_ms = 0
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        self._heap: list[Event] = []
        self._number = 0
        self._token = 0
        self._ids = random.Random(f"{seed}:ids")

    def rng(self, *names: object) -> random.Random:
        """A stream of chance of its own: dropping an action elsewhere does not change it."""
        return random.Random(":".join(map(str, (self.seed, *names))))

    def after(self, delay_ms: int, do: Callable[[], None]) -> Event:
        self._number += 1
        event = Event(self.now_ms + max(0, delay_ms), self._number, do)
        heapq.heappush(self._heap, event)
        return event

    def run(self, until_ms: int) -> None:
        """Everything up to and at `until_ms`."""
        while self._heap and self._heap[0].at_ms <= until_ms:
            event = heapq.heappop(self._heap)
            if self._number > MOST_EVENTS:
                raise Violation("I11", "work without an end: the phones and the server keep each other busy")
            if not event.dropped:
                self.now_ms = event.at_ms
                event.do()
        self.now_ms = max(self.now_ms, until_ms)

    def now(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.now_ms)

    def note(self, who: str, what: str, *more: Any) -> None:
        words = " ".join(str(one) for one in more)
        self.lines.append(f"{self.now_ms / 1000:10.3f}  {who:<7} {what} {words}".rstrip())

    def count(self, what: str, times: int = 1) -> None:
        """For the report of what the runs really did."""
        self.counts[what] += times

    def token(self) -> int:
        """A number that no other value of this world carries."""
        self._token += 1
        return self._token

    def trace_hash(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]

    @contextmanager
    def seeded_ids(self) -> Iterator[None]:
        """`domain.ids` from this world's chance and clock."""
        real = ids.new_id
        ids.new_id = self.new_id
        try:
            yield
        finally:
            ids.new_id = real

    def new_id(self, now_ms: int | None = None) -> str:
        ms = EPOCH_MS + self.now_ms if now_ms is None else now_ms
        chance = self._ids.getrandbits(74)
        value = (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64
        return str(uuid.UUID(int=value | 0b10 << 62 | chance & (1 << 62) - 1))


@dataclass(slots=True)
class Clock:
    """A machine's clock: wrong by `wrong_ms`; its monotonic time begins anew with each boot."""

    world: World
    wrong_ms: int = 0
    booted_ms: int = 0

    def now(self) -> datetime:
        return self.world.now() + timedelta(milliseconds=self.wrong_ms)

    def monotonic(self) -> float:
        return (self.world.now_ms - self.booted_ms) / 1000
