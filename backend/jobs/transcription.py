"""The worker that turns waiting recordings into text, one at a time, with the engine of the package `speech`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from backend.services import transcription

if TYPE_CHECKING:
    from backend.deps import Deps
    from speech.whisper import WhisperTranscriber

PERIOD_SECONDS = 2.0
IDLE_UNLOAD_SECONDS = 300.0


async def run(deps: Deps) -> None:
    engine = _engine(deps)
    while True:
        if not await transcription.next_job(deps, engine):
            await asyncio.sleep(PERIOD_SECONDS)
            await asyncio.to_thread(engine.unload_if_idle, IDLE_UNLOAD_SECONDS)


def _engine(deps: Deps) -> WhisperTranscriber:
    """Cheap: the model is loaded with the first recording, and only then its absence matters."""
    from speech import models, whisper

    chosen = deps.settings.speech_model
    store = models.ModelStore(
        root=deps.settings.server_dir / "models", folder=Path(chosen) if chosen else None
    )
    return whisper.WhisperTranscriber(store.resolve)
