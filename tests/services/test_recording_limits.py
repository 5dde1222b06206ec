"""A recording that grows too large or too long is stopped and kept; a file that is too large is never copied."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from domain import errors
from services.notes import limits
from storage import blobs
from tests.services.conftest import Bench

pytestmark = pytest.mark.anyio
MB = limits.MEGABYTE


@pytest.fixture
def talking(make_bench: Callable[..., Bench], tmp_path: Path) -> Bench:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x01\x02" * 160_000)
    return make_bench(hears=path)


async def test_a_recording_longer_than_the_setting_is_stopped_and_kept(talking: Bench) -> None:
    talking.sv.settings.change(recording_minutes=3)
    capture = await talking.sv.notes.start()
    talking.clock.advance(179)
    assert talking.sv.notes.limit_reached(capture) == ""
    talking.clock.advance(1)

    why = talking.sv.notes.limit_reached(capture)

    assert why == "The recording was stopped after 3 min, as your settings say. It is kept."
    note_id = await talking.sv.notes.stop(capture)
    assert talking.sv.notes.get(note_id).size == 320_044


async def test_a_recording_as_large_as_the_server_takes_is_stopped_and_kept(talking: Bench) -> None:
    with talking.db.write_tx() as tx:
        blobs.put_most_bytes(tx, limits.MARGIN + 320_000)
    capture = await talking.sv.notes.start()

    assert "the server takes no more" in talking.sv.notes.limit_reached(capture)
    assert talking.sv.notes.get(await talking.sv.notes.stop(capture)).size


async def test_a_device_that_fills_up_stops_the_recording_in_time(
    talking: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = await talking.sv.notes.start()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9 * MB, 5 * MB, 4 * MB))

    assert "this device is full" in talking.sv.notes.limit_reached(capture)


async def test_a_full_device_begins_no_recording_and_says_what_it_needs(
    talking: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(99 * MB, 87 * MB, 12 * MB))

    with pytest.raises(errors.DiskFullError, match=r"has 12 MB free; a recording needs 20 MB"):
        await talking.sv.notes.start()


async def test_a_file_over_the_limit_is_refused_before_it_is_copied(bench: Bench, tmp_path: Path) -> None:
    with bench.db.write_tx() as tx:
        blobs.put_most_bytes(tx, 2 * MB)
    large = tmp_path / "meeting.wav"
    large.write_bytes(bytes(2 * MB + MB // 2))

    for source in (large, large.read_bytes()):
        with pytest.raises(errors.AudioError, match=r"has 2.5 MB; .* 2 MB at most. \(meeting.wav\)"):
            await bench.sv.notes.attach(source, "c:/x/meeting.wav")

    assert not (bench.db.path.parent / "audio").exists()


async def test_a_length_that_makes_no_sense_is_not_taken(bench: Bench) -> None:
    for minutes in (0, 121):
        with pytest.raises(errors.InputError):
            bench.sv.settings.change(recording_minutes=minutes)
    assert bench.sv.settings.read().recording_minutes == 20


async def test_how_long_it_may_still_go_on_is_known_by_clock_and_by_bytes(talking: Bench) -> None:
    talking.sv.settings.change(recording_minutes=3)
    capture = await talking.sv.notes.start()
    talking.clock.advance(130)
    by_clock = talking.sv.notes.seconds_left(capture)
    capture.path.write_bytes(bytes(4 * MB))
    with talking.db.write_tx() as tx:
        blobs.put_most_bytes(tx, 5 * MB + limits.MARGIN)

    assert by_clock == pytest.approx(50)
    assert talking.sv.notes.seconds_left(capture) == pytest.approx(130 / 4)
