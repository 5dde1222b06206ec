"""Loudness for the meter, and the microphone's format told by its byte rate."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from devices import pcm
from tests.speech import samples


def test_the_meter_rises_with_the_voice() -> None:
    levels = [pcm.loudness(samples.tone(0.1, loudness=loud).tobytes()) for loud in (0.001, 0.01, 0.1, 0.9)]

    assert levels == sorted(levels)
    assert pcm.loudness(samples.silence(0.1).tobytes()) == 0.0
    assert pcm.loudness(b"") == pcm.loudness(b"\x01") == 0.0
    assert 0.9 < levels[-1] <= 1.0


FORMATS = [(16_000, 1), (44_100, 2), (48_000, 2), (44_100, 1), (48_000, 1)]


def arrivals(known: pcm.Format, *, seconds: float, late: Callable[[float], float]) -> pcm.Pace:
    """Chunks of 4,096 bytes, as Chromium sends them; `late` = seconds of delay at a time. None overtakes another."""
    pace = pcm.Pace(pcm.USUAL)
    at, count = 0.0, 0
    while count / known.bytes_per_second < seconds:
        count += 4_096
        made = count / known.bytes_per_second
        at = max(at, made + late(made))
        pace.arrived(at, 4_096)
    pace.look()
    return pace


@pytest.mark.parametrize(("rate", "channels"), FORMATS)
def test_the_times_of_arrival_name_the_format(rate: int, channels: int) -> None:
    known = pcm.Format(sample_rate=rate, channels=channels)

    assert arrivals(known, seconds=2.5, late=lambda at: 0.0).format == known


@pytest.mark.parametrize(("rate", "channels"), FORMATS)
@pytest.mark.parametrize("seed", range(5))
def test_what_comes_late_and_in_heaps_names_it_too(rate: int, channels: int, seed: int) -> None:
    """A busy computer: heaps of up to a second; their bytes over their time are off by a tenth and more."""
    dice = random.Random(seed)
    known = pcm.Format(sample_rate=rate, channels=channels)
    heaps = [(start := start_ + dice.random(), start + dice.random()) for start_ in range(0, 12, 2)]

    def late(at: float) -> float:
        return next((end - at for begin, end in heaps if begin <= at < end), 0.0)

    assert arrivals(known, seconds=12, late=late).format == known


def test_a_first_half_that_is_late_as_a_whole_changes_no_mind() -> None:
    assert arrivals(pcm.USUAL, seconds=6, late=lambda at: max(0.0, 3.0 - at)).format == pcm.USUAL


def test_too_short_to_tell_is_what_it_was_last_time() -> None:
    known = pcm.Format(sample_rate=16_000, channels=1)

    assert arrivals(known, seconds=0.8, late=lambda at: 0.0).format == pcm.USUAL


def test_a_long_recording_is_looked_at_for_its_first_minutes_only() -> None:
    pace = pcm.Pace(pcm.USUAL)
    for number in range(10_000):
        pace.arrived(number / 23.4375, 4_096)

    assert pace.format == pcm.USUAL
    assert pace.seconds < 130
