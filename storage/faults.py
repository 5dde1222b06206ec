"""SQLite's errors, said in our words: the one place where they are translated."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from domain import errors

_NOT_A_DATABASE = "Nothing was changed. Move the file away, or choose another data folder, and start again."


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raises: NotADatabaseError, DiskFullError or StoreError in place of what SQLite raised."""
    try:
        yield
    except sqlite3.Error as fault:
        raise translate(fault, where) from fault


def translate(fault: sqlite3.Error, where: str) -> errors.StoreError:
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return errors.NotADatabaseError(
            "This file is no database of ours.", where=where, hint=_NOT_A_DATABASE
        )
    if code == sqlite3.SQLITE_FULL:
        return errors.DiskFullError(
            "The disk is full: this change was not saved; everything before it is safe.",
            where=where,
            hint="Free some space, then do it again.",
        )
    if code == sqlite3.SQLITE_BUSY:
        return errors.StoreError(
            "Another program is using the database.", where=where, hint="Close it, then do it again."
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return errors.StoreError(
            "The database file is damaged.",
            where=where,
            hint="Export the waiting list from the sync centre, then let the app load everything anew.",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return errors.StoreError(
            "The database file can't be opened for writing.",
            where=where,
            hint="Check that the folder exists and belongs to you.",
        )
    return errors.StoreError(f"The database refused: {fault}.", where=where)
