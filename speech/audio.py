"""Audio files as they come: checked by content, never by name, and decoded to 16 kHz mono in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from domain import errors
from speech import sniff, wav

RATE = 16_000
_SILENT_RMS = 10 ** (-60 / 20)
_SILENT_PEAK = 10 ** (-45 / 20)
_TOLERANCE_SECONDS = 0.5
_KEPT = "The file was kept."

Samples = npt.NDArray[np.float32]
_Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much audio one note may hold; 30 minutes of 48 kHz stereo WAV are 330 MB."""

    seconds: float = 30 * 60
    file_bytes: int = 400 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """A file that was decoded once from end to end: its true length, the microphone's format, and loudness 0 to 1."""

    path: Path
    kind: str
    seconds: float
    sample_rate: int
    channels: int
    peak: float
    rms: float

    @property
    def is_silent(self) -> bool:
        return self.peak < _SILENT_PEAK or self.rms < _SILENT_RMS


def inspect(path: Path, limits: Limits | None = None) -> Audio:
    """Decodes the whole file once without keeping it. Raises: AudioError saying what is wrong; the file stays."""
    limits = limits or Limits()
    kind = _checked_kind(path, limits)
    count, peak, squares = 0, 0, 0.0
    with _opened(path, kind) as source:
        promised = _promised_seconds(source, path, kind)
        rate, channels = _format_of(source, path)
        for pcm in _decoded(source, path):
            count += len(pcm)
            wide = pcm.astype(np.int32)
            peak = max(peak, int(np.abs(wide).max(initial=0)))
            squares += float(np.square(wide, dtype=np.float64).sum())
            if count > (limits.seconds + 1) * RATE:
                raise _too_long(path, limits)
    if not count:
        raise _error(path, "The recording holds no audio.", "Record again, or choose another file.")
    _check_complete(path, seconds=count / RATE, promised=promised)
    return Audio(
        path=path,
        kind=kind,
        seconds=count / RATE,
        sample_rate=rate,
        channels=channels,
        peak=peak / 32768,
        rms=(squares / count) ** 0.5 / 32768,
    )


def blocks(path: Path, *, seconds: float = 60.0) -> Iterator[Samples]:
    """The sound at 16 kHz mono in blocks of at most `seconds`, cut where it is quietest. Raises: AudioError."""
    kind = _checked_kind(path, Limits())
    held: list[_Pcm] = []
    limit = int(seconds * RATE)
    with _opened(path, kind) as source:
        for pcm in _decoded(source, path):
            held.append(pcm)
            while sum(map(len, held)) > limit:
                joined = np.concatenate(held)
                cut = quietest(joined[:limit])
                yield _floats(joined[:cut])
                held = [joined[cut:]]
    if held:
        yield _floats(np.concatenate(held))


def quietest(pcm: _Pcm, *, search_seconds: float = 15.0, window_seconds: float = 0.3) -> int:
    """The sample in the last stretch at which cutting hurts least: the middle of the quietest window."""
    window = int(window_seconds * RATE)
    start = max(0, len(pcm) - int(search_seconds * RATE))
    whole = (len(pcm) - start) // window
    if start == 0 or whole < 2:
        return len(pcm)
    tail = pcm[start : start + whole * window].astype(np.float64).reshape(whole, window)
    return start + int(np.square(tail).sum(axis=1).argmin()) * window + window // 2


def _floats(pcm: _Pcm) -> Samples:
    return pcm.astype(np.float32) / np.float32(32768)


def _checked_kind(path: Path, limits: Limits) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise errors.AudioError(
            "The recording can't be opened.", where=path.name, hint="Check that the file is still there."
        ) from error
    if not size:
        raise _error(path, "The recording holds no audio: the file is empty.", "Record again.")
    if size > limits.file_bytes:
        raise _error(
            path,
            f"The file is too large: {size / 2**20:.0f} MB, at most {limits.file_bytes / 2**20:.0f} MB are read.",
            "Cut it into shorter parts.",
        )
    kind = sniff.kind_of(head)
    if kind is None:
        raise _error(
            path,
            f"This is not an audio file that can be read{sniff.guess_of(head)}.",
            "Choose a WAV, FLAC, MP3, M4A, OGG, Opus or WebM recording.",
        )
    return kind


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    """The demuxer is named, so that a playlist or a script can't make FFmpeg open something else."""
    with path.open("rb") as file:
        try:
            container = av.open(file, format=kind, metadata_errors="ignore")
        except (av.error.FFmpegError, ValueError) as error:
            raise _damaged(path) from error
        with container:
            yield container


def _format_of(container: Any, path: Path) -> tuple[int, int]:
    stream = _stream(container, path)
    rate, channels = int(stream.rate or 0), int(stream.channels or 0)
    if not (rate and channels):
        raise _damaged(path)
    return rate, channels


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.audio:
        raise _error(path, "The recording holds no audio.", "Choose a file with sound.")
    return container.streams.audio[0]


def _decoded(container: Any, path: Path) -> Iterator[_Pcm]:
    """PCM16 at 16 kHz mono. A damaged packet is left out; the missing length shows at the end."""
    stream = _stream(container, path)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        for packet in container.demux(stream):
            for frame in _frames(packet):
                frame.pts = None
                yield from (_samples(out) for out in resampler.resample(frame))
        yield from (_samples(out) for out in resampler.resample(None))
    except (av.error.FFmpegError, ValueError) as error:
        raise _damaged(path) from error


def _frames(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []


def _samples(frame: Any) -> _Pcm:
    samples: _Pcm = frame.to_ndarray().reshape(-1)
    return samples


def _promised_seconds(container: Any, path: Path, kind: str) -> float:
    if kind == "wav":
        header = wav.read_header(path)
        return header.seconds + header.missing_seconds
    stream = _stream(container, path)
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration / 1_000_000) if container.duration else 0.0


def _check_complete(path: Path, *, seconds: float, promised: float) -> None:
    if promised - seconds > max(_TOLERANCE_SECONDS, promised * 0.01):
        raise _error(
            path,
            f"The recording is cut off or damaged: {promised:.1f} s promised, {seconds:.1f} s readable.",
            "Copy or export it again.",
        )


def _too_long(path: Path, limits: Limits) -> errors.AudioError:
    return _error(
        path,
        f"The recording is longer than {limits.seconds / 60:.0f} minutes.",
        "Cut it into shorter parts.",
    )


def _damaged(path: Path) -> errors.AudioError:
    return _error(
        path, "The recording is cut off or damaged: it can't be decoded.", "Copy or export it again."
    )


def _error(path: Path, message: str, hint: str) -> errors.AudioError:
    return errors.AudioError(message, where=path.name, hint=f"{_KEPT} {hint}")
