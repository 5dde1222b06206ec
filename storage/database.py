"""The device's database: open, migrate, write in one transaction, and tell subscribers after the commit."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlite_utils

from domain import errors, ids
from storage import ballast, faults, migrate

logger = logging.getLogger(__name__)

Params = Sequence[Any] | Mapping[str, Any]
Subscriber = Callable[[frozenset[str]], None]

BALLAST = "ballast"
"""Subscribers hear this name when the disk is nearly full and the ballast was dropped."""
_MAGIC = b"SQLite format 3\x00"


class Reads:
    """A connection that can be read. Every read function of storage takes one."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def rows(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """All rows. Raises: StoreError."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as fault:
            raise faults.translate(fault, str(self.path)) from fault

    def each(self, sql: str, params: Params = ()) -> Iterator[tuple[Any, ...]]:
        """Rows one by one as plain tuples, where thousands are looked at and few are kept. Raises: StoreError."""
        with faults.translated(str(self.path)):
            cursor = self._connection.execute(sql, params)
            cursor.row_factory = None
            yield from cursor

    def row(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """The first row, or None."""
        try:
            found: sqlite3.Row | None = self._connection.execute(sql, params).fetchone()
        except sqlite3.Error as fault:
            raise faults.translate(fault, str(self.path)) from fault
        return found

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        return None if (found := self.row(sql, params)) is None else found[0]


class Transaction(Reads):
    """What may be written, while it may be written."""

    def __init__(self, connection: sqlite3.Connection, path: Path, session: str = "") -> None:
        super().__init__(connection, path)
        self.touched: set[str] = set()
        self.session = session  # see Database
        self._changes_before = connection.total_changes

    def touch(self, *tables: str) -> None:
        """Subscribers hear these names after the commit."""
        self.touched.update(tables)

    def execute(self, sql: str, params: Params = ()) -> int:
        """Rows changed. Raises: DiskFullError, StoreError."""
        try:
            return self._connection.execute(sql, params).rowcount
        except sqlite3.Error as fault:
            raise faults.translate(fault, str(self.path)) from fault

    def insert(self, sql: str, params: Params = ()) -> int:
        """The new row's rowid."""
        try:
            return self._connection.execute(sql, params).lastrowid or 0
        except sqlite3.Error as fault:
            raise faults.translate(fault, str(self.path)) from fault

    def executemany(self, sql: str, params: Iterable[Params]) -> int:
        with faults.translated(str(self.path)):
            return self._connection.executemany(sql, params).rowcount

    @property
    def is_written(self) -> bool:
        """Has anything changed in it?"""
        return self.changes != self._changes_before

    @property
    def changes(self) -> int:
        """Grows with every row that is written: what was read stays true while it doesn't."""
        return self._connection.total_changes

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is undone when it raises; the transaction goes on."""
        self._connection.execute("SAVEPOINT inner_step")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO inner_step")
                self._connection.execute("RELEASE inner_step")
            raise
        self._connection.execute("RELEASE inner_step")


class Reader(Reads):
    """A second, read-only connection for one executor thread at a time."""

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Database(Reads):
    """One person's store on this device. Used from one thread; long reads take a `reader()`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self.session = (
            ids.new_id()
        )  # names this run of the process: its monotonic clock counts within it only
        self._subscribers: list[Subscriber] = []
        self._writing = False

    @contextmanager
    def write_tx(self) -> Iterator[Transaction]:
        """BEGIN IMMEDIATE … COMMIT, or nothing at all. Raises: StoreError, DiskFullError; RuntimeError when nested."""
        if self._writing:
            raise RuntimeError("write_tx() inside write_tx(): pass the transaction on instead")
        tx = Transaction(self._connection, self.path, self.session)
        tx.execute("BEGIN IMMEDIATE")
        self._writing = True
        try:
            yield tx
            if tx.is_written and ballast.lend(self.path):
                tx.touch(BALLAST)
            tx.execute("COMMIT")
        except BaseException as fault:
            self._rollback()
            if isinstance(fault, errors.DiskFullError):
                ballast.give_up(self.path)  # the next try has room
            raise
        finally:
            self._writing = False
        self._tell(frozenset(tx.touched))

    def _rollback(self) -> None:
        # A full disk may have rolled back by itself.
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """`callback` gets the names of changed tables after each commit; the answer ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._subscribers.remove(callback)

        return unsubscribe

    def _tell(self, touched: frozenset[str]) -> None:
        if not touched:
            return
        for callback in tuple(self._subscribers):
            try:
                callback(touched)
            except Exception:
                # What is committed is committed: a faulty screen must not look like a failed write.
                logger.exception("store.subscriber_failed")

    def reader(self) -> Reader:
        """A read-only connection of its own, for an executor; close it."""
        with faults.translated(str(self.path)):
            connection = _connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, any_thread=True)
            connection.execute("PRAGMA query_only=ON")
        return Reader(connection, self.path)

    @property
    def tools(self) -> sqlite_utils.Database:
        """sqlite-utils on this connection, for export, statistics and housekeeping; never for writing rows."""
        return sqlite_utils.Database(self._connection, recursive_triggers=False, execute_plugins=False)

    def scrub(self) -> None:
        """After rows left for good: nothing of them stays in the write-ahead log either."""
        with faults.translated(str(self.path)):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._subscribers.clear()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA optimize")
        self._connection.close()


def open_store(path: Path, key: bytes | None = None) -> Database:
    """Open or make the store and bring it to this release's tables.

    Raises: NotADatabaseError, StoreTooNewError (the file stays as it is), DiskFullError, StoreError.
    """
    if key is not None:
        raise errors.StoreError(
            "This build has no encrypting driver.",
            where=str(path),
            hint="Open the store without a key, or install the build with encryption.",
        )
    _check_header(path)
    _make_folder(path.parent)
    with faults.translated(str(path)):
        connection = _connect(str(path))
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return Database(connection, path)


def _connect(name: str, *, uri: bool = False, any_thread: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name,
        isolation_level=None,
        uri=uri,
        check_same_thread=not any_thread,
        timeout=5.0,
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    for pragma in (
        "trusted_schema=OFF",
        "busy_timeout=5000",
        "cache_size=-32000",
        "temp_store=MEMORY",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    with faults.translated(str(path)):
        migrate.refuse_newer(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        migrate.apply(connection)
        migrate.restore_indexes(connection)
        connection.executemany(
            "INSERT OR IGNORE INTO sync_state (k, v) VALUES (?, ?)",
            [("device_id", ids.new_id()), ("device_epoch", ids.new_id())],
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise errors.StoreError(
            f"The data folder can't be made: {fault.strerror}.",
            where=str(folder),
            hint="Choose another data folder, or make this one writable.",
        ) from fault


def _check_header(path: Path) -> None:
    """SQLite itself would take a short text file for an empty database and write into it."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as fault:
        raise errors.StoreError(
            f"The database file can't be read: {fault.strerror}.",
            where=str(path),
            hint="Check that it is a file and belongs to you.",
        ) from fault
    if head and head != _MAGIC:
        raise errors.NotADatabaseError(
            "This file is no database.",
            where=str(path),
            hint="Nothing was changed. Move the file away, or choose another data folder, and start again.",
        )
