"""Recordings on their way: three refusals in a row, then a person must look."""

from __future__ import annotations

from pathlib import Path

from domain import ids
from storage import blobs, database


def queued(store: database.Database) -> str:
    with store.write_tx() as tx:
        return blobs.add(
            tx,
            note_id=ids.new_id(),
            location_id=ids.new_id(),
            path=Path("a.wav"),
            sha256="0" * 64,
            size=100,
            media_type="audio/wav",
        )


def attempts(store: database.Database) -> int:
    return int(store.value("SELECT attempts FROM blobs"))


def test_a_part_that_the_server_took_ends_the_row_of_refusals(store: database.Database) -> None:
    blob = queued(store)
    with store.write_tx() as tx:
        blobs.failed(tx, blob, "No.", for_good=False)
        blobs.progressed(tx, blob, url="/u", sent=0)
    assert attempts(store) == 1

    with store.write_tx() as tx:
        blobs.progressed(tx, blob, url="/u", sent=40)
    assert attempts(store) == 0


def test_a_person_who_sends_it_again_gives_it_all_its_tries(store: database.Database) -> None:
    blob = queued(store)
    with store.write_tx() as tx:
        for last in (False, False, True):
            blobs.failed(tx, blob, "No.", for_good=last)
        blobs.again(tx, blob)

    (waiting,) = blobs.waiting(store)
    assert (waiting.attempts, waiting.error) == (0, "")
