"""The loop that turns recordings into words."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from domain import ids
from services.notes import NoteState
from tests.services.conftest import OTHER, Bench

pytestmark = pytest.mark.anyio


async def sound(bench: Bench) -> str:
    return await bench.sv.notes.attach(b"RIFF", "a.wav")


async def until_transcribed(bench: Bench, note_id: str) -> None:
    committed = asyncio.Event()
    bench.db.subscribe(lambda _: committed.set())
    async with asyncio.timeout(5):
        while bench.sv.notes.get(note_id).state is not NoteState.TRANSCRIBED:
            committed.clear()
            await committed.wait()


async def test_the_loop_takes_what_waits_at_start_and_what_comes_later(bench: Bench) -> None:
    bench.transcriber.says = "Roof needs work."
    first = await sound(bench)

    loop = asyncio.create_task(bench.sv.transcription.run())
    await until_transcribed(bench, first)
    second = await sound(bench)
    await until_transcribed(bench, second)
    loop.cancel()

    with suppress(asyncio.CancelledError):
        await loop
    assert bench.sv.notes.progress.all() == {}


async def test_progress_is_told_while_it_listens(bench: Bench) -> None:
    told: list[dict[str, float]] = []
    bench.sv.notes.progress.subscribe(lambda _: told.append(bench.sv.notes.progress.all()))
    note_id = await sound(bench)

    await bench.sv.transcription.run_once()

    assert told[0] == {note_id: 0.0}
    assert told[-1] == {}


async def test_a_device_without_a_transcriber_leaves_all_to_the_server(bench: Bench) -> None:
    note_id = await sound(bench)

    assert await replace(bench.sv.transcription, transcriber=None).run_once() == 0
    assert bench.sv.notes.get(note_id).state is NoteState.WAITING


async def test_notes_of_others_and_without_sound_here_are_left_alone(bench: Bench) -> None:
    for agent_id in (OTHER, bench.sv.user.id):
        bench.server("notes", ids.new_id(), {"agent_id": agent_id, "state": "waiting"})

    assert await bench.sv.transcription.run_once() == 0


async def test_a_note_discarded_while_it_was_heard_stays_discarded(bench: Bench) -> None:
    bench.transcriber.says = "Roof needs work."
    note_id = await sound(bench)
    bench.sv.notes.progress.subscribe(lambda _: discard(bench, note_id))

    await bench.sv.transcription.run_once()

    assert bench.sv.notes.list() == ()


def discard(bench: Bench, note_id: str) -> None:
    if bench.sv.notes.list():
        bench.sv.notes.delete(note_id)
