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
    """Pure: times are given, monotonic seconds. `waiting`: how many."""

    __slots__ = ("_buckets", "_critical", "_latest", "_limits", "_slowed", "waiting")

    def __init__(self, limits: Mapping[str, int] = DEFAULTS) -> None:
        self.waiting = 0
        self._limits = limits
        self._slowed = False
        self._buckets: list[Bucket | None] = [None] * len(Priority)
        self._critical: deque[Item] | None = None
        self._latest: list[dict[Hashable, Item] | None] = [None] * len(Priority)

    def straight(self, priority: Priority, now: float) -> bool:
        """May a message of this priority go past the mailbox, because nothing waits and it is its turn?"""
        bucket = self._buckets[priority]
        return not self.waiting and (bucket or self._bucket(priority)).take(now)

    def put(self, key: Hashable, item: Item, priority: Priority) -> bool:
        """Wait for a turn; True if it took the place of an older one of this key."""
        latest = self._latest[priority]
        if latest is None:
            latest = self._latest[priority] = {}
        replaced = key in latest
        latest[key] = item  # in the older one's place in the row
        self.waiting += not replaced
        return replaced

    def urge(self, item: Item) -> bool:
        """A critical one: never coalesced, in order. False: too many wait already."""
        if self._critical is None:
            self._critical = deque()
        if len(self._critical) >= MOST_CRITICAL:
            return False
        self._critical.append(item)
        self.waiting += 1
        return True

    def drop(self, key: Hashable) -> None:
        """Nobody waits for it any more."""
        for latest in self._latest:
            if latest is not None and latest.pop(key, None) is not None:
                self.waiting -= 1

    def take(self, now: float) -> Item | None:
        """The next that may go at this moment, the most important first."""
        if not self.waiting:
            return None
        if self._critical and self._bucket(Priority.CRITICAL).take(now):
            self.waiting -= 1
            return self._critical.popleft()
        for priority in Priority:
            latest = self._latest[priority]
            if latest and self._bucket(priority).take(now):
                self.waiting -= 1
                return latest.pop(next(iter(latest)))
        return None

    def wait(self) -> float | None:
        """After `take` found none: seconds until it is worth another look; None: nothing waits."""
        if not self.waiting:
            return None
        pending = [priority for priority in Priority if self._latest[priority]]
        if self._critical:
            pending.append(Priority.CRITICAL)
        return min(self._bucket(priority).wait() for priority in pending)

    def slow(self, slowed: bool) -> None:
        """Half as often, or as before."""
        self._slowed = slowed
        for bucket in self._buckets:
            if bucket is not None:
                bucket.slow(slowed)

    def _bucket(self, priority: Priority) -> Bucket:
        bucket = self._buckets[priority]
        if bucket is None:
            name = priority.name.lower()
            bucket = self._buckets[priority] = Bucket(max(1, self._limits.get(name, DEFAULTS[name])))
            bucket.slow(self._slowed)
        return bucket
