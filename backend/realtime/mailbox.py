"""What waits for one connection: of each key only the newest, by priority, as fast as its buckets allow."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from backend.realtime.buckets import DEFAULTS, Bucket, Priority

MOST_CRITICAL = 256
"""Critical messages are never left out; a line on which so many wait is closed."""

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Pure: times are given, monotonic seconds."""

    __slots__ = ("_buckets", "_critical", "_limits", "_slowed", "_waiting")

    def __init__(self, limits: Mapping[str, int] = DEFAULTS) -> None:
        self._limits = limits
        self._slowed = False
        self._buckets: dict[Priority, Bucket] = {}
        self._critical: deque[Item] | None = None
        self._waiting: dict[Priority, dict[Hashable, Item]] = {}

    def __len__(self) -> int:
        return len(self._critical or ()) + sum(len(found) for found in self._waiting.values())

    def put(self, key: Hashable, item: Item, priority: Priority) -> bool:
        """Wait for a turn; True if it took the place of an older one of this key."""
        waiting = self._waiting.setdefault(priority, {})
        replaced = key in waiting
        waiting[key] = item  # in the older one's place in the row
        return replaced

    def urge(self, item: Item) -> bool:
        """A critical one: never coalesced, in order. False: too many wait already."""
        if self._critical is None:
            self._critical = deque()
        if len(self._critical) >= MOST_CRITICAL:
            return False
        self._critical.append(item)
        return True

    def drop(self, key: Hashable) -> None:
        """Nobody waits for it any more."""
        for waiting in self._waiting.values():
            waiting.pop(key, None)

    def take(self, now: float) -> Item | None:
        """The next that may go at this moment, the most important first."""
        if self._critical and self._bucket(Priority.CRITICAL).take(now):
            return self._critical.popleft()
        for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW):
            waiting = self._waiting.get(priority)
            if waiting and self._bucket(priority).take(now):
                return waiting.pop(next(iter(waiting)))
        return None

    def wait(self) -> float | None:
        """After `take` found none: seconds until it is worth another look; None: nothing waits."""
        pending = [priority for priority, found in self._waiting.items() if found]
        if self._critical:
            pending.append(Priority.CRITICAL)
        return min((self._bucket(priority).wait() for priority in pending), default=None)

    def slow(self, slowed: bool) -> None:
        """Half as often, or as before."""
        self._slowed = slowed
        for bucket in self._buckets.values():
            bucket.slowed = slowed

    def _bucket(self, priority: Priority) -> Bucket:
        if priority not in self._buckets:
            limit = self._limits.get(priority, DEFAULTS[priority])
            self._buckets[priority] = Bucket(max(1, limit), slowed=self._slowed)
        return self._buckets[priority]
