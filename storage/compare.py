"""Is this store what the server has? Sums of what the server is known to have, and repair of what differs.

Unsent work is no part of it: of a row that carries some, the base is compared and mended, and the work stays upon it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain import digests, tables, wire
from storage import blocks, cursor, database, events, outbox, rebase, rows, scopes, search_index

_Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A row that the server is known to have. `values` None where nobody asked for contents."""

    id: str
    scope: str
    ver: int
    values: _Values | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair changed. `files`: delete them after the commit. `late`: nothing, the store had moved on."""

    rows: int = 0
    removed: int = 0
    files: tuple[Path, ...] = ()
    late: bool = False


Mark = tuple[str, int]


def mark(reads: database.Reads) -> Mark:
    """Changes with everything that comes from the server: a list that was asked for before is no measure then."""
    return cursor.get(reads, "cursor"), cursor.heard(reads)


def sums(reads: database.Reads, *, content: bool = False) -> dict[str, dict[str, wire.Sum]]:
    """Location → table → (rows, sum of their hashes); tables without rows are left out."""
    found: dict[str, dict[str, wire.Sum]] = {}
    for table in tables.ALL:
        hashes: dict[str, list[int]] = {}
        for known in _known(reads, table, content=content):
            hashes.setdefault(known.scope, []).append(_hash(table, known, content=content))
        for scope, some in hashes.items():
            found.setdefault(scope, {})[table.name] = _sum(some)
    return found


def ranges(
    reads: database.Reads, scope: str, table_name: str, *, content: bool = False
) -> tuple[wire.Sum, ...]:
    """One sum for each range of ids of one location's table."""
    table = tables.BY_NAME[table_name]
    hashes: list[list[int]] = [[] for _ in range(digests.RANGES)]
    for known in _known(reads, table, content=content):
        if known.scope == scope:
            hashes[digests.range_of(known.id)].append(_hash(table, known, content=content))
    return tuple(_sum(some) for some in hashes)


def unlike(
    ours: Mapping[str, Mapping[str, wire.Sum]], theirs: Mapping[str, Mapping[str, wire.Sum]]
) -> list[tuple[str, str]]:
    """(location, table) whose sums differ, in the order of the tables."""
    return [
        (scope, table.name)
        for table in tables.ALL
        for scope in sorted({*ours, *theirs})
        if ours.get(scope, {}).get(table.name) != theirs.get(scope, {}).get(table.name)
    ]


def repair(
    tx: database.Transaction,
    ask: wire.RowsAsk,
    found: wire.RangeRows,
    *,
    force: bool = False,
    older: bool = False,
    since: Mark | None = None,
) -> Repaired:
    """Bring the ranges asked for to what the server listed.

    Rows that are missing or older are written; with `force` also those of the same version whose contents differ, with
    `older` (another incarnation of the server) whatever differs. Rows that it doesn't list go. `since`: the `mark` before
    the list was asked for; where the store has moved on, nothing is touched, for the list may be older.
    """
    if since is not None and mark(tx) != since:
        return Repaired(late=True)
    work = _Work(tx=tx, table=tables.BY_NAME[ask.table], force=force or older, older=older)
    asked = frozenset(ask.ranges)
    listed = {row[0]: row for row in found.block.rows if digests.range_of(row[0]) in asked}
    held = {
        known.id: known
        for known in _known(tx, work.table, content=work.force)
        if known.id in listed or (known.scope == ask.scope and digests.range_of(known.id) in asked)
    }
    written = work.write(blocks.Reading.of(work.table, found.block.columns), listed, held)
    gone = [row_id for row_id in held if row_id not in listed]
    files = work.remove(gone)
    search_index.catch_up(tx)
    if written or gone:
        tx.touch(work.table.name)
        events.add(tx, "compare.repaired", level="warning", table=ask.table, rows=written, removed=len(gone))
    return Repaired(rows=written, removed=len(gone), files=tuple(files))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    tx: database.Transaction
    table: tables.Table
    force: bool
    older: bool

    def write(
        self, read: blocks.Reading, listed: Mapping[str, Sequence[Any]], held: Mapping[str, Known]
    ) -> int:
        """Rows that were not as on the server. One with a change under way may be ahead of us by that: it is no damage."""
        worked_on, under_way = self._worked_on(), outbox.under_way(self.tx, self.table.name)
        wrong = [row for row_id, row in listed.items() if self._is_wrong(read, row, held.get(row_id))]
        written = read.write(self.tx, [row for row in wrong if row[0] not in worked_on], force=True)
        for row in wrong:
            if row[0] in worked_on:
                mended = self._mend_base(row[0], rebase.Base(ver=row[1], values=read.values(row)))
                written += mended and row[0] not in under_way
        return written

    def _mend_base(self, row_id: str, base: rebase.Base) -> bool:
        known = rebase.base_of(self.tx, self.table, row_id)
        if base.ver < known.ver and not self.older:
            return False  # deleted since the list was made
        rebase.set_base(self.tx, self.table, row_id, base)
        self.tx.touch(self.table.name)
        return True

    def _is_wrong(self, read: blocks.Reading, row: Sequence[Any], known: Known | None) -> bool:
        ver = int(row[1])
        if known is None or ver > known.ver:
            return True
        if ver < known.ver:
            return self.older
        return self.force and _canonical(self.table, read.values(row)) != _canonical(self.table, known.values)

    def remove(self, gone: Collection[str]) -> list[Path]:
        """What the server doesn't list. Unsent work stays in the outbox: the server says what becomes of it."""
        worked_on = self._worked_on()
        for row_id in gone:
            if row_id in worked_on:
                # In another life of the server its versions begin anew.
                ver = 0 if self.older else rebase.base_of(self.tx, self.table, row_id).ver
                rebase.set_base(self.tx, self.table, row_id, rebase.Base(ver=ver, values=None))
        return scopes.wipe(self.tx, self.table, [row_id for row_id in gone if row_id not in worked_on])

    def _worked_on(self) -> frozenset[str]:
        found = self.tx.each("SELECT id FROM shadow WHERE tbl = ?", (self.table.name,))
        return frozenset(row[0] for row in found)


def _known(reads: database.Reads, table: tables.Table, *, content: bool) -> Iterator[Known]:
    """Rows without unsent work as they stand; of the others the base, where the server has the row."""
    without = f"id NOT IN (SELECT id FROM shadow WHERE tbl = '{table.name}')"  # noqa: S608 - a name of the registry
    if content:
        for row_id, ver, values in rows.each(reads, table, without):
            yield Known(id=row_id, scope=values["location_id"], ver=ver, values=values)
    else:
        for row_id, scope, ver in reads.each(
            f"SELECT id, location_id, _ver FROM {table.name} WHERE {without}"  # noqa: S608
        ):
            yield Known(id=row_id, scope=scope, ver=ver)
    worked_on = reads.each("SELECT id FROM shadow WHERE tbl = ? AND deleted = 0", (table.name,))
    for row_id in [row[0] for row in worked_on]:
        base = rebase.base_of(reads, table, row_id)
        if base.values is not None:
            yield Known(id=row_id, scope=base.values["location_id"], ver=base.ver, values=base.values)


def _hash(table: tables.Table, known: Known, *, content: bool) -> int:
    contents = _canonical(table, known.values) if content else None
    return digests.row_hash(known.id, known.ver, contents)


def _canonical(table: tables.Table, values: _Values | None) -> str:
    return digests.canonical(table, values or {})


def _sum(hashes: Sequence[int]) -> wire.Sum:
    return len(hashes), digests.text(digests.total(hashes))
