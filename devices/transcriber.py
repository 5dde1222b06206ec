"""Chooses the speech engine that this device can run; without one the note waits for the server."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

from domain import errors, ports

_ENGINE_PARTS = ("faster_whisper", "ctranslate2", "av", "numpy")


class NoTranscriber:
    """Implements domain.ports.Transcriber where no engine has a wheel (phones): says so, every time."""

    def transcribe(
        self,
        audio: Path,
        *,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> ports.Transcript:
        """Raises: NoEngineError, always."""
        raise errors.NoEngineError(
            "This device has no speech engine.",
            where=audio.name,
            hint="The recording was kept; the server transcribes it after the next sync.",
        )


def has_engine() -> bool:
    """Whether faster-whisper and what it needs are installed; imports nothing."""
    return all(importlib.util.find_spec(part) is not None for part in _ENGINE_PARTS)


def choose(resolve: Callable[[], Path]) -> ports.Transcriber:
    """The engine for this device. One per process: its model stays in memory and is shared by all sessions."""
    if not has_engine():
        return NoTranscriber()
    engine: ports.Transcriber = importlib.import_module("speech.whisper").WhisperTranscriber(resolve)
    return engine
