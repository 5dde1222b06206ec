"""Files that are to be deleted: a crash between the commit and the deletion must not bring a recording back."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from storage import database

logger = logging.getLogger(__name__)


def add(tx: database.Transaction, paths: Iterable[Path]) -> None:
    """In the transaction that lets go of them; `sweep` after it."""
    tx.executemany("INSERT OR IGNORE INTO doomed_files (path) VALUES (?)", [(str(path),) for path in paths])


def sweep(db: database.Database) -> int:
    """Delete what is doomed, at once and at each start; how many. What can't be deleted now has its turn again."""
    gone = [path for path in map(Path, _listed(db)) if _is_gone(path)]
    if gone:
        with db.write_tx() as tx:
            tx.executemany("DELETE FROM doomed_files WHERE path = ?", [(str(path),) for path in gone])
    return len(gone)


def _listed(reads: database.Reads) -> list[str]:
    return [row[0] for row in reads.each("SELECT path FROM doomed_files")]


def _is_gone(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        logger.warning("store.file_stays", extra={"reason": fault.strerror})
        return False
    return True
