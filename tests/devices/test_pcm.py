"""Loudness for the meter, and the microphone's format told by its byte rate."""

from __future__ import annotations

import pytest

from devices import pcm
from tests.speech import samples


def test_the_meter_rises_with_the_voice() -> None:
    levels = [pcm.loudness(samples.tone(0.1, loudness=loud).tobytes()) for loud in (0.001, 0.01, 0.1, 0.9)]

    assert levels == sorted(levels)
    assert pcm.loudness(samples.silence(0.1).tobytes()) == 0.0
    assert pcm.loudness(b"") == pcm.loudness(b"\x01") == 0.0
    assert 0.9 < levels[-1] <= 1.0


@pytest.mark.parametrize(
    ("rate", "channels"), [(16_000, 1), (44_100, 2), (48_000, 2), (44_100, 1), (48_000, 1)]
)
@pytest.mark.parametrize("jitter", [0.97, 1.0, 1.03])
def test_a_byte_rate_names_its_format_in_spite_of_jitter(rate: int, channels: int, jitter: float) -> None:
    heard = pcm.format_of(rate * channels * 2 * jitter)

    assert (heard.sample_rate, heard.channels) == (rate, channels)


def test_a_rate_that_fits_nothing_is_taken_as_asked() -> None:
    assert pcm.format_of(3_000) == pcm.ASKED_FOR
