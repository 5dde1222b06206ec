"""Files that nobody may keep go with the row that named them, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import database, doomed


def doom(store: database.Database, *paths: Path) -> None:
    with store.write_tx() as tx:
        doomed.add(tx, paths)


def test_what_is_doomed_is_deleted_and_forgotten(store: database.Database, tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"sound")
    doom(store, file, tmp_path / "never-there.wav")

    assert (doomed.sweep(store), file.exists(), doomed.sweep(store)) == (2, False, 0)


def test_a_crash_before_the_deletion_is_made_up_for_at_the_next_start(
    store: database.Database, tmp_path: Path
) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"sound")
    doom(store, file)
    store.close()

    again = database.open_store(store.path)
    doomed.sweep(again)
    again.close()

    assert not file.exists()


def test_what_can_t_be_deleted_now_stays_doomed(
    store: database.Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "a.wav"
    folder.mkdir()
    doom(store, folder)

    assert doomed.sweep(store) == 0
    assert "store.file_stays" in caplog.text
    folder.rmdir()
    assert doomed.sweep(store) == 1
