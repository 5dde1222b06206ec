"""Voice on the screen: recorded, picked, transcribed, reviewed, saved."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable
from pathlib import Path

import flet as ft
import pytest

from services.notes import NoteState
from tests import screen
from tests.services.conftest import Bench
from tests.views.agent import field

pytestmark = pytest.mark.anyio

SAID = "Ann Lee wants six forty for the house because of the divorce. Call her back on December 4th."
Make = Callable[..., Bench]


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x01\x02" * 16_000)
    return path


@pytest.fixture
def talking(make_bench: Make, wav: Path) -> Bench:
    return make_bench(hears=wav, says=SAID)


async def noted(bench: Bench, lead_id: str = "") -> str:
    """A note that is transcribed as far as this bench can."""
    note_id = await bench.sv.notes.stop(await bench.sv.notes.start(lead_id))
    await bench.sv.transcription.run_once()
    return note_id


async def recorded(phone: screen.Screen) -> None:
    await phone.tap("record")
    assert phone.sees("Recording")
    await phone.tap("stop")
    await phone.until("Voice review")


async def test_one_touch_records_and_another_keeps_the_note(talking: Bench) -> None:
    async with field.opened(talking, "/voice") as phone:
        assert phone.sees("Recording others needs their consent")
        await recorded(phone)

    (note,) = talking.sv.notes.list()
    assert note.state is NoteState.WAITING
    assert note.audio_path is not None


async def test_the_big_microphone_of_other_screens_records_at_once(talking: Bench) -> None:
    async with field.opened(talking, "/leads") as phone:
        big = phone.find("Voice note", ft.FloatingActionButton)[-1]
        await phone.event(big, "click", None)
        await phone.until("Discard")

        assert phone.sees("Recording")
        await phone.tap("stop")
        await phone.until("Voice review")


async def test_a_recording_is_discarded_only_after_a_question(talking: Bench) -> None:
    async with field.opened(talking, "/voice") as phone:
        await phone.tap("record")
        await phone.tap("discard")
        assert phone.sees("Discard this recording?")
        await phone.tap("dialog-yes")

        assert phone.sees("Record a note")
    assert talking.sv.notes.list() == ()


async def test_a_recording_goes_on_while_another_screen_is_looked_at(talking: Bench) -> None:
    async with field.opened(talking, "/voice") as phone:
        await phone.tap("record")
        await phone.go("/tasks")
        await phone.go("/voice")

        assert phone.sees("Recording")
        await phone.tap("stop")
        await phone.until("Voice review")


async def test_a_note_of_a_lead_is_about_that_lead(talking: Bench) -> None:
    lead_id = talking.lead(name="Rosa Diaz")
    async with field.opened(talking, f"/voice?lead={lead_id}") as phone:
        await recorded(phone)

    assert talking.sv.notes.list()[0].lead_id == lead_id


async def test_the_review_shows_words_lead_and_changes_and_saves_them(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await noted(talking)
    async with field.opened(talking, f"/voice/note/{note_id}") as phone:
        for words in ("Ann Lee", "Motivation", "Task: follow up", "Save 3 changes"):
            assert phone.sees(words), words
        await phone.tap("note-save")

        assert phone.route == f"/leads/lead/{lead_id}"
    assert talking.get("leads", lead_id)["motivation"] == "divorce"


async def test_a_dropped_change_is_not_saved(talking: Bench) -> None:
    lead_id = talking.lead()
    note_id = await noted(talking, lead_id)
    async with field.opened(talking, f"/voice/note/{note_id}") as phone:
        await phone.tap("proposal-motivation")
        assert phone.sees("Save 2 changes")
        await phone.tap("note-save")

    assert talking.get("leads", lead_id)["motivation"] is None


async def test_another_lead_is_chosen_by_search(talking: Bench) -> None:
    talking.lead()
    other_id = talking.lead(name="Bo Chen")
    note_id = await noted(talking)
    async with field.opened(talking, f"/voice/note/{note_id}") as phone:
        await phone.tap("lead-other")
        await phone.type("Name, phone or street of a lead", "Bo")
        await phone.tap(f"pick-{other_id}")
        assert phone.sees("chosen by you")
        await phone.tap("note-save")

    assert talking.sv.notes.get(note_id).lead_id == other_id


async def test_corrected_words_are_read_anew(talking: Bench) -> None:
    note_id = await noted(talking, talking.lead())
    async with field.opened(talking, f"/voice/note/{note_id}") as phone:
        await phone.tap("transcript-edit")
        await phone.type("What was said", "He is relocating to Denver.")
        await phone.tap("transcript-keep")

        assert phone.sees("Relocation")
        assert phone.sees("Save 1 change")


async def test_an_opt_out_stands_above_all_and_is_taken(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav, says="She asked me to stop texting her.")
    lead_id = bench.lead()
    note_id = await noted(bench, lead_id)
    async with field.opened(bench, f"/voice/note/{note_id}") as phone:
        assert phone.sees("These words ask for no more contact.")
        await phone.tap("note-save")

        assert phone.sees("Blocked: no more calls or texts to this lead")
    assert bench.get("leads", lead_id)["opted_out"]


async def test_silence_says_no_speech_heard_and_words_may_be_typed(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav, says="")
    note_id = await noted(bench, bench.lead())
    async with field.opened(bench, f"/voice/note/{note_id}") as phone:
        assert phone.sees("No speech heard")
        await phone.type("Or type what was said", "It is because of the divorce.")
        await phone.tap("type-keep")

        assert phone.sees("Save 1 change")


async def test_without_an_engine_the_note_waits_for_the_server(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav, says=None)
    note_id = await noted(bench)
    async with field.opened(bench, "/voice") as phone:
        assert phone.sees("Waiting for the server")
        await phone.go(f"/voice/note/{note_id}")

        assert phone.sees("The recording is kept")


async def test_transcription_under_way_shows_how_far_it_is(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav, says=None)
    note_id = await noted(bench)
    async with field.opened(bench, "/voice") as phone:
        bench.sv.notes.progress.report(note_id, 0.4)
        await phone.settle()

        assert phone.sees("Transcribing 40 %")


async def test_a_discarded_note_is_gone(talking: Bench) -> None:
    note_id = await noted(talking)
    async with field.opened(talking, f"/voice/note/{note_id}") as phone:
        await phone.tap("note-discard")
        await phone.tap("dialog-yes")

        assert phone.route == "/voice"
    assert talking.sv.notes.list() == ()


async def test_a_recording_that_grows_too_long_is_stopped_kept_and_said(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav, says=None)
    bench.sv.settings.change(recording_minutes=1)
    async with field.opened(bench, "/voice") as phone:
        await phone.tap("record")
        bench.clock.advance(61)
        async with asyncio.timeout(10):
            while not phone.sees("The recording was stopped after 1 min,"):
                await asyncio.sleep(0.1)
                await phone.settle()

        assert phone.route.startswith("/voice/note/")
    assert len(bench.sv.notes.list()) == 1


async def test_the_last_minute_of_a_recording_is_counted_down(make_bench: Make, wav: Path) -> None:
    bench = make_bench(hears=wav)
    bench.sv.settings.change(recording_minutes=2)
    async with field.opened(bench, "/voice") as phone:
        await phone.tap("record")
        await phone.until("0:00")
        assert not phone.sees("then it is kept")

        bench.clock.advance(75)
        await phone.until("0:45 left, then it is kept")
        await phone.tap("stop")
