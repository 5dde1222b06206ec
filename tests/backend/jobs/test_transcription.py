"""Recordings from devices without an engine become text on the server, by the real engine where it matters."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from backend.deps import Deps
from backend.services import transcription
from domain import errors, ids, ports
from speech import models, whisper
from tests.backend.sync.conftest import MakeDevice, Stamp, make_device, stamp
from tests.backend.sync.devices import T0, Device
from tests.backend.sync.test_uploads import whole
from tests.speech import samples

__all__ = ["make_device", "stamp"]
pytestmark = pytest.mark.anyio


class Scribe:
    """A transcriber that hears what it is told to hear."""

    def __init__(self, words: str = "", fault: errors.SpeechError | None = None) -> None:
        self.words, self.fault = words, fault
        self.heard: list[Path] = []
        self.hotwords: list[str] = []

    def transcribe(self, audio: Path, *, hotwords: Any = (), on_progress: Any = None) -> ports.Transcript:
        self.heard.append(audio)
        self.hotwords = list(hotwords)
        if self.fault:
            raise self.fault
        said = (ports.Segment(start=0, end=1, text=self.words, confidence=1),) if self.words else ()
        return ports.Transcript(segments=said, engine="scribe", audio_seconds=1, compute_seconds=0)


async def recorded(device: Device, audio: bytes = b"RIFF", **values: Any) -> str:
    """A note whose row and sound both are on the server."""
    note_id = ids.new_id()
    note = {
        "location_id": device.locations[0],
        "created_at": T0,
        "agent_id": device.user_id,
        "state": "waiting",
        "audio_sha256": hashlib.sha256(audio).hexdigest(),
        **values,
    }
    await device.push(device.mutation("put", "notes", note_id, note))
    await whole(device, audio, note_id=note_id)
    return note_id


async def due(deps: Deps) -> None:
    """Nobody waits in a test."""
    await deps.pool.execute("UPDATE jobs SET run_at = now()")


async def note(deps: Deps, note_id: str) -> dict[str, Any]:
    row = await deps.pool.fetchrow("SELECT * FROM notes WHERE id = $1", note_id)
    assert row is not None
    return dict(row)


async def test_a_waiting_note_comes_back_to_its_device_as_text(
    make_device: MakeDevice, deps: Deps, stamp: Stamp
) -> None:
    phone = await make_device()
    note_id = await recorded(phone)
    await stamp()
    await phone.pull()
    await due(deps)
    assert await transcription.next_job(deps, Scribe("they want to sell"))
    assert not await transcription.next_job(deps, Scribe("again"))
    await stamp()
    await phone.pull()
    assert "they want to sell" in phone.rows[("notes", note_id)]
    assert "transcribed" in phone.rows[("notes", note_id)]


async def test_a_device_with_an_engine_gets_to_send_its_words_first(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone, scribe = await make_device(), Scribe("the server's")
    note_id = await recorded(phone)
    assert not await transcription.next_job(deps, scribe)
    own = {"transcript": "the device's", "state": "transcribed"}
    await phone.push(phone.mutation("patch", "notes", note_id, own, base_ver=1))
    await due(deps)
    assert await transcription.next_job(deps, scribe)
    assert (scribe.heard, (await note(deps, note_id))["transcript"]) == ([], "the device's")


async def test_a_file_that_came_before_its_note_is_not_forgotten(make_device: MakeDevice, deps: Deps) -> None:
    phone, note_id = await make_device(), ids.new_id()
    await whole(phone, note_id=note_id)
    await due(deps)
    assert await transcription.next_job(deps, Scribe("x"))
    put = {"location_id": phone.locations[0], "created_at": T0, "agent_id": phone.user_id, "state": "waiting"}
    await phone.push(phone.mutation("put", "notes", note_id, put))
    await due(deps)
    assert await transcription.next_job(deps, Scribe("here it is"))
    assert (await note(deps, note_id))["transcript"] == "here it is"


async def test_silence_says_so(make_device: MakeDevice, deps: Deps) -> None:
    note_id = await recorded(await make_device())
    await due(deps)
    await transcription.next_job(deps, Scribe(""))
    assert ((await note(deps, note_id))["state"], (await note(deps, note_id))["transcript"]) == (
        "no_speech",
        None,
    )


async def test_audio_that_cannot_be_read_is_told_and_not_tried_again(
    make_device: MakeDevice, deps: Deps
) -> None:
    note_id = await recorded(await make_device())
    await due(deps)
    await transcription.next_job(deps, Scribe(fault=errors.AudioError("This is no audio.")))
    assert ((await note(deps, note_id))["state"], (await note(deps, note_id))["error"]) == (
        "failed",
        "This is no audio.",
    )
    await due(deps)
    assert not await transcription.next_job(deps, Scribe("x"))


async def test_without_a_model_the_note_goes_on_waiting(make_device: MakeDevice, deps: Deps) -> None:
    note_id = await recorded(await make_device())
    await due(deps)
    await transcription.next_job(deps, Scribe(fault=errors.NoModelError("no model")))
    assert (await note(deps, note_id))["state"] == "waiting"
    await due(deps)
    assert await transcription.next_job(deps, Scribe("there is one now"))
    assert (await note(deps, note_id))["transcript"] == "there is one now"


async def test_real_speech_is_heard_by_the_real_engine(
    make_device: MakeDevice, deps: Deps, tmp_path: Path
) -> None:
    audio = samples.shared("speech/jfk/jfk.flac").read_bytes()
    note_id = await recorded(await make_device(), audio)
    await due(deps)
    engine = whisper.WhisperTranscriber(models.ModelStore(root=tmp_path).resolve)
    assert await transcription.next_job(deps, engine)
    assert "ask not what your country" in (await note(deps, note_id))["transcript"].lower()
