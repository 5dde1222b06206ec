"""Audio made for tests: tones, silence and noise in each format, and the real speech beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests import real_data

DATA = real_data.DATA
RATE = 16_000
# suffix, encoder, container, rate
FORMATS = {
    "wav": ("pcm_s16le", "wav", 44_100),
    "flac": ("flac", "flac", 44_100),
    "mp3": ("libmp3lame", "mp3", 44_100),
    "m4a": ("aac", "ipod", 44_100),
    "opus": ("libopus", "ogg", 48_000),
    "webm": ("libopus", "webm", 48_000),
    "aac": ("aac", "adts", 44_100),
}


def tone(
    seconds: float, *, hertz: float = 440.0, rate: int = RATE, loudness: float = 0.3
) -> npt.NDArray[np.int16]:
    at = np.arange(int(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hertz * at) * loudness * 32767).astype(np.int16)


def noise(seconds: float, *, loudness: float = 0.05) -> npt.NDArray[np.int16]:
    return (np.random.default_rng(7).standard_normal(int(seconds * RATE)) * loudness * 32767).astype(np.int16)


def silence(seconds: float) -> npt.NDArray[np.int16]:
    return np.zeros(int(seconds * RATE), dtype=np.int16)


def encode(path: Path, mono: npt.NDArray[np.int16], *, rate: int = RATE, as_format: str = "wav") -> Path:
    """Writes `mono` as stereo, at the format's own rate."""
    codec, container, out_rate = FORMATS[as_format]
    with av.open(str(path), "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=out_rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(mono.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.format.name, layout="stereo", rate=out_rate, frame_size=stream.frame_size or 1024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


def shared(relative: str) -> Path:
    """A file of the real data; the test is skipped, saying so, where it is absent."""
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"real data absent: {path}")
    return path
