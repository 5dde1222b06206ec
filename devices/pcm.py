"""What streamed PCM16 tells by itself: how loud it is, and which format the microphone really delivers."""

from __future__ import annotations

import array
import math
import sys
from dataclasses import dataclass

# The formats that browsers and phones deliver; the commoner of two equal byte rates is first.
_FORMATS = (
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
_NEAR = 0.045


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Samples a second and channels."""

    sample_rate: int
    channels: int

    @property
    def bytes_per_second(self) -> int:
        return self.sample_rate * self.channels * 2


ASKED_FOR = Format(sample_rate=16_000, channels=1)


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


def format_of(byte_rate: float, asked: Format = ASKED_FOR) -> Format:
    """The format whose byte rate was measured; what was asked for, unless another fits clearly better.

    A browser that is asked for 16 kHz mono may send 44.1 kHz stereo, and the stream does not say so.
    """
    if _off(asked, byte_rate) <= _NEAR:
        return asked
    known = [Format(sample_rate=rate, channels=channels) for rate, channels in _FORMATS]
    best = min(known, key=lambda known_format: _off(known_format, byte_rate))
    return best if _off(best, byte_rate) <= _NEAR * 2 else asked


def _off(known: Format, byte_rate: float) -> float:
    return abs(byte_rate / known.bytes_per_second - 1)
