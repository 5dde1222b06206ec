"""Which locations' rows may be on this device, and how rows leave it without a trace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from domain import tables, wire
from storage import agreed, cursor, database, downloads, rebase, rows, search_index

UNCONFIRMED = -1
"""The version of a row while everything is loaded anew: the server has not mentioned it yet."""


def keep_only(tx: database.Transaction, allowed: Collection[str]) -> list[Path]:
    """Drop the rows of every other location; voice files to delete after the commit."""
    before = cursor.place(tx).scopes
    if before is not None and before == frozenset(allowed):
        return []
    files: list[Path] = []
    for table in tables.ALL:
        found = tx.rows(
            f"SELECT id FROM {table.name} WHERE location_id NOT IN (SELECT value FROM json_each(?))",  # noqa: S608 - a name of the registry
            (rows.dumps(list(allowed)),),
        )
        files += wipe(tx, table, [row["id"] for row in found])
    files += _wipe_unseen(tx, allowed)
    if before is not None and before - frozenset(allowed):
        _wipe_traces(tx)
        search_index.rebuild(tx)
    return files


def _wipe_unseen(tx: database.Transaction, allowed: Collection[str]) -> list[Path]:
    """What no row shows any more: bases and recordings of rows deleted here, the journal of rows long gone.

    A recording that is not on the server yet stays until it is: nobody else has it.
    """
    chosen = (rows.dumps(list(allowed)),)
    tx.execute(
        "UPDATE shadow SET base = '{}', ver = 0, deleted = 1 WHERE deleted = 0"
        " AND base ->> '$.location_id' NOT IN (SELECT value FROM json_each(?))",
        chosen,
    )
    tx.execute(
        "DELETE FROM outbox WHERE state = 'acked'"
        " AND patch ->> '$.location_id' NOT IN (SELECT value FROM json_each(?))",
        chosen,
    )
    gone = tx.rows(
        "DELETE FROM blobs WHERE state = 'sent' AND"
        " coalesce((SELECT location_id FROM notes WHERE id = note_id), location_id)"
        " NOT IN (SELECT value FROM json_each(?)) RETURNING path",
        chosen,
    )
    tx.execute("DELETE FROM kpi_tiles WHERE location_id NOT IN (SELECT value FROM json_each(?))", chosen)
    tx.touch("kpi_tiles", "blobs")
    return [Path(row["path"]) for row in gone] + downloads.forget_elsewhere(tx, list(allowed))


def _wipe_traces(tx: database.Transaction) -> None:
    """After a location was lost: the journal of rows that are gone (whose were they?), what was searched for, and
    lines of the diary that name a row."""
    for table in tables.ALL:
        tx.execute(
            f"DELETE FROM outbox WHERE state = 'acked' AND tbl = ? AND row_id NOT IN (SELECT id FROM {table.name})",  # noqa: S608
            (table.name,),
        )
    tx.execute("DELETE FROM local_settings WHERE k = 'search.recent'")
    tx.execute("DELETE FROM sync_events WHERE detail ->> '$.id' IS NOT NULL")
    tx.touch("local_settings", "sync_events")


def wipe(tx: database.Transaction, table: tables.Table, row_ids: Sequence[str]) -> list[Path]:
    """Row, base, journal, search line and voice file go. Unsent changes and recordings stay: the server judges them.

    The version goes with the base: a row that comes back is loaded, perhaps from another life of the server.
    """
    if not row_ids:
        return []
    chosen = rows.dumps(list(row_ids))
    tx.execute(
        f"DELETE FROM {table.name} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - a name of the registry
        (chosen,),
    )
    tx.execute(
        "DELETE FROM outbox WHERE state = 'acked' AND tbl = ? AND row_id IN (SELECT value FROM json_each(?))",
        (table.name, chosen),
    )
    tx.execute(
        "UPDATE shadow SET base = '{}', ver = 0, deleted = 1 WHERE tbl = ? AND id IN (SELECT value FROM json_each(?))",
        (table.name, chosen),
    )
    tx.touch(table.name)
    return wipe_sent_blobs(tx, row_ids) if table is tables.NOTES else []


def wipe_sent_blobs(tx: database.Transaction, note_ids: Sequence[str]) -> list[Path]:
    """Of notes that left, the voice files that the server has. The others are their author's work: sent first."""
    return _wipe_blobs(tx, note_ids, "state = 'sent'")


def wipe_blobs(tx: database.Transaction, note_ids: Sequence[str]) -> list[Path]:
    """All voice files of notes that were deleted here."""
    return _wipe_blobs(tx, note_ids, "true")


def _wipe_blobs(tx: database.Transaction, note_ids: Sequence[str], which: str) -> list[Path]:
    gone = tx.rows(
        f"DELETE FROM blobs WHERE note_id IN (SELECT value FROM json_each(?)) AND {which} RETURNING path",  # noqa: S608 - words of ours
        (rows.dumps(list(note_ids)),),
    )
    if gone:
        tx.touch("blobs")
    return [Path(row["path"]) for row in gone] + downloads.forget(tx, note_ids)


def start_over(tx: database.Transaction) -> None:
    """Load everything anew: nothing vanishes from the screen meanwhile, unsent work stays.

    What the server doesn't mention until the load is complete is gone there: `forget_unconfirmed`.
    """
    for table in tables.ALL:
        tx.execute(
            f"UPDATE {table.name} SET _ver = ? WHERE id NOT IN (SELECT id FROM shadow WHERE tbl = ?)",  # noqa: S608 - a name of the registry
            (UNCONFIRMED, table.name),
        )
    tx.execute("UPDATE shadow SET ver = ? WHERE deleted = 0", (UNCONFIRMED,))
    cursor.restart(tx)


def forget_unconfirmed(tx: database.Transaction) -> None:
    """After a complete load: rows that the server didn't mention are deleted there."""
    for table in tables.ALL:
        found = tx.rows(
            f"SELECT id FROM {table.name} WHERE _ver = ?"  # noqa: S608 - a name of the registry
            " AND id NOT IN (SELECT id FROM shadow WHERE tbl = ?)",
            (UNCONFIRMED, table.name),
        )
        wipe(tx, table, [row["id"] for row in found])
        for row in tx.rows("SELECT id FROM shadow WHERE tbl = ? AND ver = ?", (table.name, UNCONFIRMED)):
            rebase.set_base(tx, table, row["id"], rebase.NOTHING)


def go_on_from_now(tx: database.Transaction) -> None:
    """The feed was lost (410): follow it from its end, and compare the rows by ranges instead of loading them all.

    A store that was not loaded whole yet begins anew.
    """
    if not cursor.place(tx).first_complete:
        start_over(tx)
        return
    cursor.put(tx, cursor=wire.FROM_NOW)
    agreed.want(tx, agreed.Want.NEWER)


def meet_again(tx: database.Transaction) -> None:
    """The server's database is another one (a restored backup): the journal goes up once more, then all rows are compared,
    and the server's word counts.

    The server knows most of the journal by its numbers; what it lost comes back.
    """
    _send_journal_again(tx)
    go_on_from_now(tx)
    agreed.want(tx, agreed.Want.ALL)


def _send_journal_again(tx: database.Transaction) -> None:
    tx.execute("UPDATE outbox SET state = 'pending', acked_ms = NULL WHERE state = 'acked'")
    tx.touch("outbox")
    cursor.put(tx, incarnation="")
    tx.execute("UPDATE shadow SET ver = 0 WHERE deleted = 1")  # what comes back begins at a low version
    for row in tx.rows("SELECT DISTINCT tbl, row_id FROM outbox WHERE state <> 'parked'"):
        rebase.keep_base(tx, tables.BY_NAME[row["tbl"]], row["row_id"])
