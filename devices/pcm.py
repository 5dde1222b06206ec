"""What streamed PCM16 tells by itself: how loud it is, and which format the microphone really delivers."""

from __future__ import annotations

import array
import math
import sys
from dataclasses import dataclass

_LOOK_EVERY = 1.0  # seconds
_MARKS = 3_000  # a minute or two: the format does not change after
_FITS, _CLEARLY = 0.15, 0.05  # seconds of drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Samples a second and channels."""

    sample_rate: int
    channels: int

    @property
    def bytes_per_second(self) -> int:
        return self.sample_rate * self.channels * 2


ASKED_FOR = Format(sample_rate=16_000, channels=1)
USUAL = Format(sample_rate=48_000, channels=1)
"""What Chromium sends with noise suppression, whatever it was asked for; the stream does not say so."""

# What browsers and phones deliver; the commoner of two equal byte rates is first.
_FORMATS = tuple(
    Format(sample_rate=rate, channels=channels)
    for rate, channels in (
        (16_000, 1),
        (44_100, 1),
        (44_100, 2),
        (48_000, 1),
        (48_000, 2),
        (22_050, 1),
        (24_000, 1),
        (16_000, 2),
        (8_000, 1),
    )
)


class Pace:
    """Which format arrives, told by when its bytes do.

    A busy computer delivers late and in heaps, never early. So with the right rate the least delay of the first half is
    that of the second; with a wrong one it grows or shrinks by the drift of the two clocks.
    """

    def __init__(self, believed: Format) -> None:
        self.format = believed
        self._bytes = 0
        self._marks: list[tuple[float, int]] = []
        self._next_look = _LOOK_EVERY

    def arrived(self, at: float, count: int) -> None:
        """`count` bytes at `at` seconds of any steady clock."""
        self._bytes += count
        if len(self._marks) < _MARKS:
            self._marks.append((at, self._bytes))
            if self.seconds >= self._next_look:
                self._next_look = self.seconds + _LOOK_EVERY
                self.look()

    @property
    def seconds(self) -> float:
        return self._marks[-1][0] - self._marks[0][0] if self._marks else 0.0

    def look(self) -> None:
        """Another format is believed only when it fits, and clearly better."""
        if self.seconds < _LOOK_EVERY:
            return
        best = min(_FORMATS, key=self._drift)
        drift = self._drift(best)
        if drift < _FITS and drift + _CLEARLY < self._drift(self.format):
            self.format = best

    def _drift(self, known: Format) -> float:
        """Seconds by which the least delay changes from the first half to the second."""
        middle = self._marks[0][0] + self.seconds / 2
        early, late = math.inf, math.inf
        for at, count in self._marks:
            delay = at - count / known.bytes_per_second
            if at <= middle:
                early = min(early, delay)
            else:
                late = min(late, delay)
        return abs(late - early)


def loudness(chunk: bytes) -> float:
    """0 to 1 for a level meter: -60 dB and below is 0, full scale is 1."""
    samples = array.array("h")
    samples.frombytes(chunk[: len(chunk) - len(chunk) % 2])
    if sys.byteorder == "big":
        samples.byteswap()
    step = max(1, len(samples) // 400)
    some = samples[::step]
    if not some:
        return 0.0
    rms = math.sqrt(sum(sample * sample for sample in some) / len(some)) / 32768
    return min(1.0, max(0.0, 1 + 20 * math.log10(max(rms, 1e-6)) / 60))
