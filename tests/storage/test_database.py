"""The store opens what is ours, refuses what is not, and writes all or nothing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from domain import errors
from storage import database, leads, migrate
from tests.storage.conftest import add_lead

PUT = "INSERT INTO local_settings (k, v) VALUES (?, '1')"


@pytest.mark.parametrize("content", [b"hello", b"x" * 10_000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)

    with pytest.raises(errors.NotADatabaseError) as caught:
        database.open_store(path)

    assert caught.value.hint
    assert path.read_bytes() == content


def test_a_folder_is_no_database_and_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "store.db", tmp_path / "file" / "deeper" / "store.db"):
        with pytest.raises(errors.StoreError) as caught:
            database.open_store(path)
        assert caught.value.hint


def test_a_store_of_a_newer_app_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    database.open_store(path).close()
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO _sqlite_migrations VALUES (99, 'store', '0099_future', 'x')")
    other.close()
    before = path.read_bytes()

    with pytest.raises(errors.StoreTooNewError, match="0099_future"):
        database.open_store(path)
    assert path.read_bytes() == before


def test_without_a_driver_for_it_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match="encrypting"):
        database.open_store(tmp_path / "store.db", key=b"k" * 32)
    assert not (tmp_path / "store.db").exists()


def test_a_store_keeps_its_device_and_its_rows_over_a_restart(tmp_path: Path) -> None:
    store = database.open_store(tmp_path / "a" / "store.db")
    lead_id = add_lead(store)
    device = store.value("SELECT v FROM sync_state WHERE k = 'device_id'")
    store.close()

    store = database.open_store(tmp_path / "a" / "store.db")
    assert leads.get(store, lead_id)
    assert store.value("SELECT v FROM sync_state WHERE k = 'device_id'") == device
    store.close()


def test_the_store_is_as_safe_as_it_should_be(store: database.Database) -> None:
    pragmas = ("journal_mode", "synchronous", "trusted_schema", "busy_timeout")

    assert [store.value(f"PRAGMA {name}") for name in pragmas] == ["wal", 2, 0, 5000]


def test_a_transaction_that_fails_leaves_nothing(store: database.Database) -> None:
    heard: list[frozenset[str]] = []
    store.subscribe(heard.append)

    def fail() -> None:
        with store.write_tx() as tx:
            tx.execute(PUT, ("a",))
            tx.touch("local_settings")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert store.value("SELECT count(*) FROM local_settings") == 0
    assert heard == []


def test_subscribers_hear_once_after_the_commit(store: database.Database) -> None:
    heard: list[tuple[frozenset[str], int]] = []
    stop = store.subscribe(
        lambda names: heard.append((names, store.value("SELECT count(*) FROM local_settings")))
    )

    for key in "ab":
        with store.write_tx() as tx:
            tx.execute(PUT, (key,))
            tx.touch("x", "y")
            tx.touch("x")
        stop()

    assert heard == [(frozenset({"x", "y"}), 1)]


def test_a_faulty_subscriber_does_not_make_a_write_fail(store: database.Database) -> None:
    heard: list[frozenset[str]] = []
    store.subscribe(lambda names: [][1])
    store.subscribe(heard.append)

    with store.write_tx() as tx:
        tx.touch("x")

    assert heard == [frozenset({"x"})]


def test_a_transaction_inside_a_transaction_is_refused(store: database.Database) -> None:
    with store.write_tx(), pytest.raises(RuntimeError), store.write_tx():
        pass
    with store.write_tx() as tx:
        assert tx.value("SELECT 1") == 1


def test_a_reader_sees_what_is_committed_and_writes_nothing(store: database.Database) -> None:
    add_lead(store)

    with store.reader() as reader:
        assert leads.count(reader) == 1
        with pytest.raises(errors.StoreError):
            reader.rows("DELETE FROM leads")


def test_two_programs_on_one_store_wait_for_each_other(store: database.Database) -> None:
    other = database.open_store(store.path)
    for number in range(20):
        for one in (store, other):
            with one.write_tx() as tx:
                tx.execute(PUT, (f"{number}{id(one)}",))

    assert other.value("SELECT count(*) FROM local_settings") == 40
    other.close()


def test_a_full_disk_is_said_so_and_loses_nothing(store: database.Database) -> None:
    add_lead(store)
    store.value(f"PRAGMA max_page_count = {store.value('PRAGMA page_count')}")

    with pytest.raises(errors.DiskFullError), store.write_tx() as tx:
        tx.executemany(PUT, [("x" * 3000 + str(i),) for i in range(200)])

    assert leads.count(store) == 1
    assert store.value("SELECT count(*) FROM local_settings") == 0
    store.value("PRAGMA max_page_count = 1000000")
    add_lead(store)


def test_an_app_killed_in_the_middle_of_a_transaction_leaves_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    script = (
        "import os, sys; from pathlib import Path; from storage import database\n"
        "db = database.open_store(Path(sys.argv[1]))\n"
        f"with db.write_tx() as tx: tx.execute({PUT!r}, ('whole',))\n"
        f"with db.write_tx() as tx:\n    tx.execute({PUT!r}, ('half',))\n    os._exit(9)\n"
    )

    died = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=False, cwd=Path(__file__).parents[2]
    )

    assert died.returncode == 9
    store = database.open_store(path)
    assert [row["k"] for row in store.rows("SELECT k FROM local_settings")] == ["whole"]
    store.close()


def test_a_migration_that_fails_leaves_the_filled_older_store(tmp_path: Path) -> None:
    path, folder = tmp_path / "store.db", tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    store = database.open_store(path)
    lead_id = add_lead(store, name="Older")
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    (folder / "0098_good.sql").write_text(
        "ALTER TABLE leads ADD COLUMN nick TEXT;\n-- a comment; with a mark\n"
    )
    (folder / "0099_bad.sql").write_text("CREATE TABLE fresh (a);\nINSERT INTO nowhere VALUES (1);\n")

    with pytest.raises(sqlite3.Error):
        migrate.apply(connection, folder)
    assert "0098_good" in migrate.missing(connection, folder)
    (folder / "0098_good.sql").write_text("ALTER TABLE leads ADD COLUMN nick TEXT;\n")
    (folder / "0099_bad.sql").write_text("CREATE TABLE fresh (a);\n")
    migrate.apply(connection, folder)

    assert connection.execute("SELECT id, nick FROM leads").fetchall() == [(lead_id, None)]
    assert migrate.missing(connection, folder) == []
    connection.close()
