"""Token buckets: the first message goes at once, and no minute ever holds more than its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE = 60.0
BURST_SHARE = 10
_ROUNDING = 1e-9


class Priority(StrEnum):
    """How much a message matters; the limits are per priority and connection (BI_MESSAGE_THROTTLE_LIMITS)."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


DEFAULTS: Mapping[str, int] = {
    Priority.CRITICAL: 100,
    Priority.HIGH: 50,
    Priority.NORMAL: 30,
    Priority.LOW: 10,
}


@dataclass(slots=True)
class Bucket:
    """`per_minute` tokens in any 60 seconds: `burst` of them at once, the rest evenly. Times are monotonic seconds."""

    per_minute: int
    burst: int = 0
    """How many at once; 0: a tenth."""
    tokens: float = field(init=False)
    at: float | None = field(init=False, default=None)
    slowed: bool = False
    """Half as many, for a line that hardly keeps up."""

    def __post_init__(self) -> None:
        self.burst = self.burst or max(1, self.per_minute // BURST_SHARE)
        self.tokens = float(self.burst)

    @property
    def _rate(self) -> float:
        """Tokens a second. A burst and a minute of these make `per_minute` together."""
        full = max(1, self.per_minute - self.burst) / MINUTE
        return full / 2 if self.slowed else full

    def take(self, now: float) -> bool:
        """Is there one? Then it is taken."""
        if self.at is not None:
            self.tokens = min(float(self.burst), self.tokens + max(0.0, now - self.at) * self._rate)
        self.at = now
        if self.tokens < 1.0 - _ROUNDING:
            return False
        self.tokens = max(0.0, self.tokens - 1.0)
        return True

    def wait(self) -> float:
        """Seconds from the last `take` until there is one."""
        return max(0.0, (1.0 - self.tokens) / self._rate)
