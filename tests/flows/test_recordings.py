"""Recordings between people: sent up beside the rows, fetched by those who may hear them, gone with their location."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from backend.deps import Deps
from domain import errors, ids
from storage import blobs, downloads, edits
from sync.downloads import Downloads
from tests.flows.conftest import Stamp
from tests.flows.phones import MakePhone, Phone

pytestmark = pytest.mark.anyio


def record(phone: Phone, content: bytes, folder: Path) -> str:
    """A note with a recording; its id."""
    note_id, sha256 = ids.new_id(), hashlib.sha256(content).hexdigest()
    path = folder / f"{note_id}.wav"
    path.write_bytes(content)
    note = {
        "location_id": phone.location,
        "agent_id": phone.grant.user_id,
        "state": "saved",
        "audio_sha256": sha256,
        "audio_bytes": len(content),
        "audio_type": "audio/wav",
    }
    with phone.db.write_tx() as tx:
        edits.start(tx, phone.clock.now()).put("notes", note_id, note)
        blobs.add(
            tx,
            note_id=note_id,
            location_id=phone.location,
            path=path,
            sha256=sha256,
            size=len(content),
            media_type="audio/wav",
        )
    return note_id


def ear(phone: Phone, **more: int) -> Downloads:
    return Downloads(db=phone.db, line=phone.line, clock=phone.clock, **more)  # type: ignore[arg-type]


async def heard_by(
    make_phone: MakePhone, stamp: Stamp, folder: Path, *sounds: bytes
) -> tuple[Phone, list[str]]:
    """A manager whose phone knows of an agent's notes, and their ids."""
    ann, boss = await make_phone(), await make_phone("manager")
    notes = [record(ann, sound, folder) for sound in sounds]
    await ann.run()
    await stamp()
    await boss.run()
    return boss, notes


async def test_a_manager_hears_what_an_agent_recorded_and_the_second_time_without_a_network(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    sound, steps = os.urandom(700_000), list[float]()
    boss, (note_id,) = await heard_by(make_phone, stamp, tmp_path, sound)

    path = await ear(boss).fetch(note_id, steps.append)
    boss.transport.cut = True
    again = await ear(boss).fetch(note_id)

    assert (path.read_bytes(), again) == (sound, path)
    assert (steps[0], steps[-1], sorted(steps)) == (0.0, 1.0, steps)


async def test_a_download_goes_on_where_it_was_cut(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    sound = os.urandom(900_000)
    boss, (note_id,) = await heard_by(make_phone, stamp, tmp_path, sound)

    for _ in range(3):
        boss.transport.cut_after = len(boss.transport.requests) + 1
        with pytest.raises(errors.UnreachableError):
            await ear(boss).fetch(note_id)
    boss.transport.cut_after = None
    before = len(boss.transport.requests)
    path = await ear(boss).fetch(note_id)

    assert path.read_bytes() == sound
    assert len(boss.transport.requests) - before == 1


async def test_a_damaged_download_is_not_played_but_fetched_anew(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    sound = os.urandom(700_000)
    boss, (note_id,) = await heard_by(make_phone, stamp, tmp_path, sound)
    boss.transport.cut_after = len(boss.transport.requests) + 1
    with pytest.raises(errors.UnreachableError):
        await ear(boss).fetch(note_id)
    boss.transport.cut_after = None
    (part,) = (boss.path.parent / "heard").iterdir()
    part.write_bytes(bytes(part.stat().st_size))

    with pytest.raises(errors.SyncError):
        await ear(boss).fetch(note_id)

    assert (await ear(boss).fetch(note_id)).read_bytes() == sound


async def test_others_recordings_take_so_much_room_and_no_more(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    boss, notes = await heard_by(make_phone, stamp, tmp_path, *(os.urandom(1000) for _ in range(3)))

    first, second, third = [await ear(boss, most_bytes=2500).fetch(note_id) for note_id in notes]

    assert [path.exists() for path in (first, second, third)] == [False, True, True]
    assert downloads.total_bytes(boss.db) == 2000


async def test_a_lost_location_takes_the_fetched_recordings_along(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path, deps: Deps
) -> None:
    ann, boss = await make_phone(), await make_phone("manager", ("Rancho Cucamonga", "Dallas"))
    note_id = record(ann, os.urandom(1000), tmp_path)
    await ann.run()
    await stamp()
    await boss.run()
    path = await ear(boss).fetch(note_id)

    await deps.pool.execute(
        "DELETE FROM user_locations WHERE user_id = $1 AND location_id = $2", boss.grant.user_id, ann.location
    )
    await boss.run()

    assert (path.exists(), downloads.of_note(boss.db, note_id)) == (False, None)
    with pytest.raises(errors.NotFoundError):
        await ear(boss).fetch(note_id)


async def test_a_file_that_outlived_its_location_is_swept_away(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    boss, (note_id,) = await heard_by(make_phone, stamp, tmp_path, os.urandom(1000))
    kept = await ear(boss).fetch(note_id)
    left = kept.with_stem(ids.new_id())
    left.write_bytes(b"of a location that was lost")

    ear(boss).sweep()

    assert (kept.exists(), left.exists()) == (True, False)


async def test_a_note_without_its_recording_on_the_server_says_where_it_may_be(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path, deps: Deps
) -> None:
    boss, (note_id,) = await heard_by(make_phone, stamp, tmp_path, os.urandom(1000))
    await deps.pool.execute("DELETE FROM uploads")

    with pytest.raises(errors.NotFoundError):
        await ear(boss).fetch(note_id)
    with pytest.raises(errors.NotFoundError, match="on the phone that made it"):
        await ear(boss).fetch(ids.new_id())
