"""A page of the server's feed into the store: scopes first, then removals, then rows, then the cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from domain import tables, wire
from storage import blocks, changed, cursor, database, events, indexes, outbox, rebase, scopes, search_index


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a page changed.

    `files` are voice files that nobody may keep: delete them after the commit; `scrub`: a location was taken away.
    """

    rows: int
    removed: int
    scrub: bool
    files: tuple[Path, ...]


def apply(
    tx: database.Transaction,
    page: wire.Page,
    *,
    now_ms: int,
    mono_ms: int | None = None,
) -> Applied:
    """The whole page and its cursor in the caller's transaction. Rows already known are passed over.

    `now_ms`, `mono_ms`: our clocks in the middle of the request. Raises: changed.GapError, which undoes the page.
    """
    place = cursor.place(tx)
    files = [] if page.scopes is None else list(scopes.keep_only(tx, page.scopes))
    for name, row_id in page.removed:
        files += _remove(tx, name, row_id)
    if page.total > indexes.WORTH_IT and not place.first_complete:
        indexes.drop(tx)
    count = sum(_block(tx, block) for block in page.blocks) + changed.apply(tx, page.changes)
    search_index.catch_up(tx)
    _remember(tx, page, place)
    cursor.saw_server(tx, server_ms=page.server_ms, now_ms=now_ms, mono_ms=mono_ms)
    held = place.scopes or frozenset()
    lost = frozenset() if page.scopes is None else held - frozenset(page.scopes)
    return Applied(rows=count, removed=len(page.removed), scrub=bool(lost), files=tuple(files))


def _remember(tx: database.Transaction, page: wire.Page, place: cursor.Place) -> None:
    loaded = not page.more or page.total == 0
    if loaded:
        indexes.restore(tx)
    if loaded and not place.first_complete:
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


def _remove(tx: database.Transaction, name: str, row_id: str) -> list[Path]:
    table = tables.BY_NAME.get(name)
    if table is None:
        return []
    if outbox.of_row(tx, name, row_id):
        base = rebase.base_of(tx, table, row_id)
        rebase.set_base(tx, table, row_id, rebase.Base(ver=base.ver, values=None))
        return scopes.wipe_sent_blobs(tx, [row_id]) if table is tables.NOTES else []
    return scopes.wipe(tx, table, [row_id])


def _block(tx: database.Transaction, block: wire.Block) -> int:
    table = tables.BY_NAME.get(block.table)
    if table is None:
        events.add(tx, "pull.unknown_table", level="warning", table=block.table, rows=len(block.rows))
        return 0
    read = blocks.Reading.of(table, block.columns)
    worked_on = _worked_on(tx, table)
    changed = read.write(tx, [row for row in block.rows if row[0] not in worked_on])
    for row in block.rows:
        if row[0] in worked_on:
            changed += _rebase(tx, table, row[0], row[1], read.values(row))
    if changed:
        tx.touch(table.name)
    return changed


def _worked_on(tx: database.Transaction, table: tables.Table) -> frozenset[str]:
    """Rows that carry unsent work: the page gives them a new base, not new values."""
    return frozenset(row[0] for row in tx.each("SELECT id FROM shadow WHERE tbl = ?", (table.name,)))


def _rebase(
    tx: database.Transaction, table: tables.Table, row_id: str, ver: int, values: rebase.Values
) -> int:
    base = rebase.base_of(tx, table, row_id)
    # Taken away and put back by the same page: the version may be the one known already.
    newer = ver > base.ver or (base.values is None and ver == base.ver)
    if newer:
        rebase.set_base(tx, table, row_id, rebase.Base(ver=ver, values=values))
    return int(newer)
