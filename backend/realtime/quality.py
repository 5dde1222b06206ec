"""How well a line does: from its round trip, what waits in its buffer, and how often it was cut of late."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import StrEnum

FAIR_RTT, POOR_RTT = 0.3, 1.0
FAIR_BYTES, POOR_BYTES = 16 * 1024, 64 * 1024
FAIR_RETURNS, POOR_RETURNS = 3, 6
MEMORY_SECONDS = 300.0
MOST_REMEMBERED = 10_000


class Quality(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


def judged(*, rtt: float, unsent: int, returns: int) -> Quality:
    """`rtt` in seconds (0: not known yet), `unsent` bytes, `returns` within MEMORY_SECONDS. The worst of the three counts."""
    if rtt >= POOR_RTT or unsent >= POOR_BYTES or returns >= POOR_RETURNS:
        return Quality.POOR
    if rtt >= FAIR_RTT or unsent >= FAIR_BYTES or returns >= FAIR_RETURNS:
        return Quality.FAIR
    return Quality.GOOD


@dataclass(slots=True)
class Returns:
    """How often each sign-in came back of late."""

    _times: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def came(self, session_id: str, now: float) -> None:
        times = self._times.setdefault(session_id, deque(maxlen=POOR_RETURNS))
        self._times.move_to_end(session_id)
        times.append(now)
        if len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)

    def count(self, session_id: str, now: float) -> int:
        times = self._times.get(session_id)
        return sum(now - at < MEMORY_SECONDS for at in times) if times else 0
