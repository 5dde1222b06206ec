"""A recording as a file: this device's own at once, another's from the server, with a name that says when."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from domain import errors, ids
from services.hearing import Hearing
from services.progress import Progress
from tests.services.conftest import AGENT, Bench

pytestmark = pytest.mark.anyio


class Server:
    """Has one recording, and is not always there."""

    def __init__(self, path: Path, *, there: bool = True) -> None:
        self.path, self.there = path, there

    async def fetch(self, note_id: str, on_progress: Callable[[float], None], /) -> Path:
        on_progress(0.5)
        if not self.there:
            raise errors.UnreachableError("The server can't be reached.")
        return self.path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x01\x02" * 16_000)
    return path


async def test_what_was_recorded_here_needs_no_server(make_bench: Callable[..., Bench], sound: Path) -> None:
    bench = make_bench(hears=sound)
    note_id = await bench.sv.notes.stop(await bench.sv.notes.start())

    name, content = await bench.sv.hearing.content(note_id)

    assert (name, len(content)) == ("note-2026-11-22.wav", 32_044)


async def test_anothers_recording_comes_from_the_server_and_tells_how_far_it_is(
    bench: Bench, sound: Path
) -> None:
    note_id, seen = ids.new_id(), list[float | None]()
    bench.server("notes", note_id, {"agent_id": AGENT, "state": "saved", "audio_sha256": "0" * 64})
    progress = Progress("hearing")
    progress.subscribe(lambda _: seen.append(progress.of(note_id)))
    service = Hearing(desk=bench.sv.desk, recordings=Server(sound), progress=progress)

    assert len((await service.content(note_id))[1]) == 32_044
    assert seen == [0.5, None]

    with pytest.raises(errors.UnreachableError):
        await replace(service, recordings=Server(sound, there=False)).fetch(note_id)
    assert progress.of(note_id) is None


async def test_without_a_server_the_answer_is_plain(bench: Bench) -> None:
    with pytest.raises(errors.NotFoundError, match="not on this device"):
        await bench.sv.hearing.fetch(ids.new_id())
