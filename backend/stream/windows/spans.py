"""The three windows, and how moments fall into their panes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SECOND = 1_000_000
"""In microseconds, as every moment here."""

LATENESS = 5 * SECOND
"""A stream's watermark stays so far behind its newest event."""
IDLE = 10 * SECOND
"""A stream that was silent for so long no longer holds the watermark back."""
FUTURE = 60 * SECOND
"""A moment further ahead of our clock is a wrong clock: set aside, or it would push out every pane."""
BASE = 5 * SECOND
"""The finest pane; every other is a multiple of it."""
_AHEAD = 120 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window of `keep` panes of `pane` microseconds, and room for events newer than the watermark."""

    name: str
    pane: int
    keep: int

    @property
    def ahead(self) -> int:
        """Panes beyond the watermark's that are kept; what is newer still pushes the window forward."""
        return -(-_AHEAD // self.pane)

    @property
    def slots(self) -> int:
        return self.keep + self.ahead

    @property
    def length(self) -> int:
        """In microseconds."""
        return self.pane * self.keep

    @property
    def bases(self) -> int:
        """Base panes in a pane."""
        return self.pane // BASE


FIVE_MINUTES = Span(name="5m", pane=BASE, keep=60)
HOUR = Span(name="1h", pane=60 * SECOND, keep=60)
DAY = Span(name="24h", pane=900 * SECOND, keep=96)
SPANS = (FIVE_MINUTES, HOUR, DAY)
BY_WORD: Mapping[str, Span] = {"5min": FIVE_MINUTES, "1hr": HOUR, "24hr": DAY}
"""As requests name them."""
