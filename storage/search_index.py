"""The full-text index: it keeps no text, only which words are in which line; a row's `_rid` names its line.

A row that changed loses its line (`_rid` NULL, storage/rows.py) and is searched as it stands (storage/search.py) until
`catch_up` gives it a new one, many rows in one go. The old line stays behind as waste: no row has its number, and numbers
are not used again. `tidy` makes the index anew when it is mostly waste, and so does the loss of a location.
"""

from __future__ import annotations

from storage import database, documents

OFTEN = 32
"""A person's changes between two looks at what is not in the index yet."""

_NEXT = "search_next_rid"
_WASTE = 2000


def catch_up(tx: database.Transaction, *, most: int = -1) -> int:
    """Give rows without a line one, at most so many (negative = all); how many that was."""
    done = 0
    for table in documents.BY_TABLE:
        left = most if most < 0 else most - done
        found = tx.rows(f"SELECT rowid FROM {table} WHERE _rid IS NULL LIMIT ?", (left,))  # noqa: S608 - a fixed name
        if found:
            _add(tx, table, [row[0] for row in found])
            done += len(found)
    return done


def _add(tx: database.Transaction, table: str, rowids: list[int]) -> None:
    first = reserve(tx, len(rowids))
    tx.executemany(f"UPDATE {table} SET _rid = ? WHERE rowid = ?", enumerate(rowids, first))  # noqa: S608
    add(tx, table, first)


def reserve(tx: database.Transaction, count: int) -> int:
    """The first of so many lines' numbers, for rows that are about to be written with them."""
    first = _next(tx)
    _put_next(tx, first + count)
    return first


def add(tx: database.Transaction, table: str, first: int) -> None:
    """Write the lines of all rows that have a number from `first` on."""
    document = documents.BY_TABLE[table]
    tx.execute(
        "INSERT INTO search (rowid, title, body)"  # noqa: S608 - fixed words
        f" SELECT _rid, {document.title}, {document.body} FROM {table} WHERE _rid >= ? ORDER BY _rid",
        (first,),
    )


def rebuild(tx: database.Transaction) -> None:
    """Make it anew: no word of a row that left stays in it."""
    tx.execute("INSERT INTO search (search) VALUES ('delete-all')")
    for table in documents.BY_TABLE:
        tx.execute(f"UPDATE {table} SET _rid = NULL WHERE _rid IS NOT NULL")  # noqa: S608 - a fixed name
    _put_next(tx, 1)
    catch_up(tx)


def tidy(tx: database.Transaction) -> bool:
    """Make it anew if most of it is waste; was it?"""
    used = sum(int(tx.value(f"SELECT count(_rid) FROM {table}")) for table in documents.BY_TABLE)  # noqa: S608
    wasteful = _next(tx) - 1 - used > max(_WASTE, used)
    if wasteful:
        rebuild(tx)
    return wasteful


def _next(tx: database.Transaction) -> int:
    return int(tx.value("SELECT v FROM sync_state WHERE k = ?", (_NEXT,)) or 1)


def _put_next(tx: database.Transaction, rid: int) -> None:
    tx.execute(
        "INSERT INTO sync_state (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
        (_NEXT, str(rid)),
    )
