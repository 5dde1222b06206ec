"""Token buckets: the first message goes at once, and no minute ever holds more than its number."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

MINUTE = 60.0
BURST_SHARE = 10
_ENOUGH = 1.0 - 1e-9


class Priority(IntEnum):
    """How much a message matters, the most important first; limits are per priority and connection."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


NAMES: Mapping[str, Priority] = {priority.name.lower(): priority for priority in Priority}
"""As BI_MESSAGE_THROTTLE_LIMITS and alerts call them."""
DEFAULTS: Mapping[str, int] = {"critical": 100, "high": 50, "normal": 30, "low": 10}


class Bucket:
    """`per_minute` tokens in any 60 seconds: `burst` of them (0: a tenth) at once, the rest evenly.

    Times are monotonic seconds.
    """

    __slots__ = ("_at", "_burst", "_full", "_rate", "_tokens")

    def __init__(self, per_minute: int, *, burst: int = 0) -> None:
        self._burst = float(burst or max(1, per_minute // BURST_SHARE))
        # A burst and a minute of these make `per_minute` together.
        self._full = self._rate = max(1.0, per_minute - self._burst) / MINUTE
        self._tokens = self._burst
        self._at = -MINUTE * 60

    def slow(self, slowed: bool) -> None:
        """Half as many, for a line that hardly keeps up; or as many as before."""
        self._rate = self._full / 2 if slowed else self._full

    def take(self, now: float) -> bool:
        """Is there one? Then it is taken."""
        tokens = self._tokens
        if now > self._at:
            tokens += (now - self._at) * self._rate
            tokens = min(tokens, self._burst)
            self._at = now
        if tokens < _ENOUGH:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def wait(self) -> float:
        """Seconds from the last `take` until there is one."""
        return max(0.0, (1.0 - self._tokens) / self._rate)
