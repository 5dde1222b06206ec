"""On a full disk the last thing that a person did is saved."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import errors
from storage import ballast, database, leads
from tests.storage.conftest import add_lead


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Nothing more goes onto this disk."""
    file = folder / "others.bin"
    with file.open("ab", buffering=0) as open_file:
        try:
            while True:
                open_file.write(os.urandom(4096))
        except OSError:
            return file


def add_leads(store: database.Database, count: int) -> None:
    for _ in range(count):
        add_lead(store)


def test_what_a_person_does_on_a_full_disk_is_saved(disk: Path) -> None:
    with_ballast = database.open_store(disk / "store.db")
    add_lead(with_ballast)
    assert ballast.load(with_ballast.path)
    heard: list[frozenset[str]] = []
    with_ballast.subscribe(heard.append)
    others = fill(disk)
    assert ballast.is_low(with_ballast.path)

    add_leads(with_ballast, 20)

    assert leads.count(with_ballast) == 21
    assert database.BALLAST in heard[0]
    assert not ballast.file_of(with_ballast.path).exists()
    assert not ballast.load(with_ballast.path)
    others.unlink()
    assert ballast.load(with_ballast.path)
    with_ballast.close()


def test_without_ballast_it_is_said_and_what_was_before_is_safe(disk: Path) -> None:
    store = database.open_store(disk / "store.db")
    add_lead(store)
    others = fill(disk)
    with pytest.raises(errors.DiskFullError):
        add_leads(store, 2000)

    before = leads.count(store)
    assert before >= 1
    others.unlink()
    add_lead(store)
    assert leads.count(store) == before + 1
    assert store.value("PRAGMA integrity_check") == "ok"
    store.close()


def test_a_full_file_drops_the_ballast_for_the_next_try(store: database.Database) -> None:
    assert ballast.load(store.path)
    store.value(f"PRAGMA max_page_count = {store.value('PRAGMA page_count')}")
    with pytest.raises(errors.DiskFullError):
        add_leads(store, 200)

    assert not ballast.file_of(store.path).exists()


def test_with_room_the_ballast_stays(store: database.Database) -> None:
    assert shutil.disk_usage(store.path.parent).free > 4 * ballast.SIZE
    assert ballast.load(store.path)
    add_lead(store)

    assert ballast.file_of(store.path).stat().st_size == ballast.SIZE
