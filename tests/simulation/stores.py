"""Empty stores to begin with, each made once per process; files in memory where the machine has such a place."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from storage import database, migrate


@cache
def folder() -> Path:
    """Left to the system when the process ends."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="jorge-sim-", dir=shm if shm.is_dir() else None))


@cache
def template() -> Path:
    """This release's."""
    path = folder() / "template.db"
    database.open_store(path).close()
    return path


@cache
def of_first_release() -> Path:
    """The first release's."""
    path = folder() / "first.db"
    shutil.copy(migrate.FOLDER / "0001_tables.sql", folder())
    store = sqlite3.connect(path, isolation_level=None)
    migrate.apply(store, folder())
    store.close()
    return path
