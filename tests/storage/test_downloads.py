"""Recordings fetched to be heard: a cache with an end, wiped with the location."""

from __future__ import annotations

from pathlib import Path

from domain import ids
from storage import blobs, cursor, database, downloads, rows, scopes
from tests.storage.conftest import LOCATION


def fetched(store: database.Database, *, size: int, at_ms: int, location_id: str = LOCATION) -> str:
    note_id = ids.new_id()
    one = downloads.Download(
        note_id=note_id,
        location_id=location_id,
        path=Path(f"/somewhere/{note_id}"),
        sha256="0" * 64,
        size=size,
        complete=True,
        at_ms=at_ms,
    )
    with store.write_tx() as tx:
        downloads.put(tx, one)
    return note_id


def test_the_longest_unheard_makes_room_but_never_the_one_just_asked_for(store: database.Database) -> None:
    oldest, heard, new = (fetched(store, size=40, at_ms=at) for at in (1, 2, 3))

    with store.write_tx() as tx:
        gone = downloads.make_room(tx, most_bytes=90, keep=new)
    assert gone == [Path(f"/somewhere/{oldest}")]
    with store.write_tx() as tx:
        gone = downloads.make_room(tx, most_bytes=10, keep=new)

    assert gone == [Path(f"/somewhere/{heard}")]
    assert downloads.of_note(store, new)


def test_a_lost_location_takes_its_recordings_along(store: database.Database) -> None:
    mine, theirs = fetched(store, size=1, at_ms=1), fetched(store, size=1, at_ms=1, location_id=ids.new_id())
    with store.write_tx() as tx:
        cursor.put(tx, scopes=rows.dumps([LOCATION]))

    with store.write_tx() as tx:
        gone = scopes.keep_only(tx, [])

    assert {path.name for path in gone} == {mine, theirs}
    assert not downloads.total_bytes(store)


def test_a_deleted_note_takes_its_recording_along(store: database.Database) -> None:
    note_id = fetched(store, size=1, at_ms=1)

    with store.write_tx() as tx:
        assert scopes.wipe_blobs(tx, [note_id]) == [Path(f"/somewhere/{note_id}")]
    assert downloads.of_note(store, note_id) is None


def test_a_file_that_failed_just_now_lets_the_others_go_first(store: database.Database) -> None:
    with store.write_tx() as tx:
        small, large = (
            blobs.add(
                tx,
                note_id=ids.new_id(),
                location_id=LOCATION,
                path=Path("/x"),
                sha256="0" * 64,
                size=size,
                media_type="audio/wav",
            )
            for size in (1, 2)
        )

    def next_id(**how: object) -> str | None:
        found = blobs.next_file(store, **{"metered_ok": True, **how})  # type: ignore[arg-type]
        return found.id if found else None

    assert next_id() == small
    assert next_id(last={small}) == large
    assert next_id(last={small, large}) == small
    assert next_id(metered_ok=False) is None
