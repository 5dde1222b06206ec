"""A page of the server's feed into the store: scopes first, then removals, then rows, then the cursor."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain import errors, tables, wire
from storage import cursor, database, events, rebase, rows, scopes, search_index


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a page changed.

    `files` are voice files that nobody may keep: delete them after the commit; `scrub`: a location was taken away.
    """

    rows: int
    removed: int
    scrub: bool
    files: tuple[Path, ...]


def apply(tx: database.Transaction, page: wire.Page, *, now_ms: int) -> Applied:
    """The whole page and its cursor in the caller's transaction. Rows already known are passed over."""
    before = cursor.place(tx).scopes or frozenset()
    granted = before if page.scopes is None else frozenset(page.scopes)
    files = list(scopes.keep_only(tx, granted))
    for name, row_id in page.removed:
        files += _remove(tx, name, row_id)
    count = sum(_block(tx, block) for block in page.blocks)
    search_index.catch_up(tx)
    _remember(tx, page, now_ms)
    return Applied(rows=count, removed=len(page.removed), scrub=bool(before - granted), files=tuple(files))


def _remember(tx: database.Transaction, page: wire.Page, now_ms: int) -> None:
    loaded = not page.more or page.total == 0
    if loaded and not cursor.place(tx).first_complete:
        scopes.forget_unconfirmed(tx)
    cursor.put(
        tx,
        cursor=page.cursor,
        demo="1" if page.demo else "0",
        first_done=str(page.done),
        first_total=str(page.total),
        **({"first_complete": "1"} if loaded else {}),
        **({"incarnation": page.incarnation} if page.incarnation else {}),
        **({} if page.scopes is None else {"scopes": json.dumps(sorted(page.scopes))}),
    )
    cursor.saw_server(tx, server_ms=page.server_ms, now_ms=now_ms)


def _remove(tx: database.Transaction, name: str, row_id: str) -> list[Path]:
    table = tables.BY_NAME.get(name)
    if table is None:
        return []
    base = rebase.base_of(tx, table, row_id)
    rebase.set_base(tx, table, row_id, rebase.Base(ver=base.ver, values=None))
    return scopes.wipe_blobs(tx, [row_id]) if table is tables.NOTES else []


def _block(tx: database.Transaction, block: wire.Block) -> int:
    table = tables.BY_NAME.get(block.table)
    if table is None:
        events.add(tx, "pull.unknown_table", level="warning", table=block.table, rows=len(block.rows))
        return 0
    incoming = {row_id: (ver, row) for row_id, ver, row in _read(block)}
    shadowed = _shadowed(tx, table, list(incoming))
    known = _versions(tx, table, list(incoming))
    plain = {
        row_id: row
        for row_id, row in incoming.items()
        if row_id not in shadowed and row[0] > known.get(row_id, -1)
    }
    _write(tx, table, plain)
    changed = len(plain)
    for row_id in shadowed & incoming.keys():
        ver, values = incoming[row_id]
        if ver > rebase.base_of(tx, table, row_id).ver:
            rebase.set_base(tx, table, row_id, rebase.Base(ver=ver, values=values))
            changed += 1
    if changed:
        tx.touch(table.name)
    return changed


def _read(block: wire.Block) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(id, version, values) of each row; the header may name the first two or leave them out."""
    columns = tuple(block.columns)
    names = columns[2:] if columns[:2] == ("id", "ver") else columns
    for row in block.rows:
        yield row[0], row[1], dict(zip(names, row[2:], strict=True))


def _write(
    tx: database.Transaction, table: tables.Table, fresh: Mapping[str, tuple[int, Mapping[str, Any]]]
) -> None:
    """Rows without work of ours upon them, in one go; a row that SQLite refuses never holds up the others."""
    if not fresh:
        return
    try:
        with tx.savepoint():
            _write_all(tx, table, fresh.items())
    except errors.DiskFullError:
        raise
    except errors.StoreError:
        for item in fresh.items():
            _write_one(tx, table, item)


def _write_one(
    tx: database.Transaction, table: tables.Table, item: tuple[str, tuple[int, Mapping[str, Any]]]
) -> None:
    try:
        with tx.savepoint():
            _write_all(tx, table, [item])
    except errors.DiskFullError:
        raise
    except errors.StoreError as fault:
        events.add(tx, "pull.row_refused", level="error", table=table.name, id=item[0], reason=fault.message)


def _write_all(
    tx: database.Transaction,
    table: tables.Table,
    items: Iterable[tuple[str, tuple[int, Mapping[str, Any]]]],
) -> None:
    ordered = sorted(items)
    tx.executemany(
        rows.upsert_sql(table.name), [rows.record(table, row_id, ver, row) for row_id, (ver, row) in ordered]
    )


def _shadowed(tx: database.Transaction, table: tables.Table, row_ids: Sequence[str]) -> Collection[str]:
    found = tx.rows(
        "SELECT id FROM shadow WHERE tbl = ? AND id IN (SELECT value FROM json_each(?))",
        (table.name, rows.dumps(row_ids)),
    )
    return {row["id"] for row in found}


def _versions(tx: database.Transaction, table: tables.Table, row_ids: Sequence[str]) -> dict[str, int]:
    found = tx.rows(
        f"SELECT id, _ver FROM {table.name} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - a name of the registry
        (rows.dumps(row_ids),),
    )
    return {row["id"]: row["_ver"] for row in found}
