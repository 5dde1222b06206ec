"""The wire's blocks of rows into SQLite: each row's list goes to its statement nearly as it came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from domain import errors, tables
from domain.tables import Type
from storage import database, documents, events, rows, search_index

_HEAD = 2  # id and version come first
T = TypeVar("T")


def one_by_one(
    tx: database.Transaction,
    table: tables.Table,
    found: Sequence[T],
    put: Callable[[Sequence[T]], int],
    *,
    id_of: Callable[[T], str],
) -> int:
    """Rows that `put` wrote: all in one go, or without those that SQLite refuses."""
    try:
        with tx.savepoint():
            return put(found)
    except errors.DiskFullError:
        raise
    except (errors.StoreError, OverflowError) as fault:
        if len(found) > 1:
            return sum(one_by_one(tx, table, [row], put, id_of=id_of) for row in found)
        name, row_id, reason = table.name, id_of(found[0]), str(fault)[:200]
        events.add(tx, "pull.row_refused", level="error", table=name, id=row_id, reason=reason)
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a block's columns fit our table. Columns that only a newer server has go into `extra`."""

    table: tables.Table
    names: tuple[str, ...]
    json_at: tuple[int, ...]
    extra_at: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, table: tables.Table, columns: Sequence[str]) -> Reading:
        """The header may name id and version or leave them out."""
        names = tuple(columns[_HEAD:] if tuple(columns[:_HEAD]) == ("id", "ver") else columns)
        places = list(enumerate(names, _HEAD))
        known = table.by_name
        return cls(
            table=table,
            names=names,
            json_at=tuple(at for at, name in places if name in known and known[name].type is Type.JSON),
            extra_at=tuple((at, name) for at, name in places if name not in known),
        )

    def values(self, row: Sequence[Any]) -> dict[str, Any]:
        """A row's values by name."""
        return dict(zip(self.names, row[_HEAD:], strict=True))

    def write(self, tx: database.Transaction, found: Sequence[Sequence[Any]], *, force: bool = False) -> int:
        """Rows written, in one go: those that the store has older or not at all; `force`: whatever it has.

        A row that SQLite refuses never holds up the others.
        """

        def put(some: Sequence[Sequence[Any]]) -> int:
            return self._upsert(tx, some, force)

        return one_by_one(tx, self.table, found, put, id_of=itemgetter(0)) if found else 0

    def _upsert(self, tx: database.Transaction, found: Sequence[Sequence[Any]], force: bool) -> int:
        ordered = sorted(found, key=itemgetter(0))  # each page of SQLite's is filled once then
        if self.table.name not in documents.BY_TABLE:
            return tx.executemany(self._sql(force), map(self._record, ordered))
        first = search_index.reserve(tx, len(ordered))
        records = ([*self._record(row), rid] for rid, row in enumerate(ordered, first))
        written = tx.executemany(self._sql(force), records)
        search_index.add(tx, self.table.name, first)
        return written

    def _record(self, row: Sequence[Any]) -> list[Any]:
        made = list(row)
        for at in self.json_at:
            if made[at] is not None:
                made[at] = rows.dumps(made[at])
        if self.extra_at:
            unknown = {name: row[at] for at, name in self.extra_at if row[at] is not None}
            made = [value for at, value in enumerate(made) if at not in dict(self.extra_at)]
            made.append(rows.dumps(unknown))
        return made

    def _sql(self, force: bool) -> str:
        table = self.table
        said = [name for name in self.names if name in table.by_name]
        columns = ["id", "_ver", *said, *(["extra"] if self.extra_at else [])]
        line = documents.kept_line(table.name)
        unsaid = [name for name in table.columns if name not in said]
        sets = [f"{column} = excluded.{column}" for column in columns[1:]]
        sets += [f"{name} = NULL" for name in unsaid] + ([] if self.extra_at else ["extra = '{}'"])
        if line:
            sets.append(line)
            columns.append("_rid")
        marks = ", ".join("?" * len(columns))
        guard = "" if force else f" WHERE excluded._ver > {table.name}._ver"
        return (
            f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of the registry
            f" ON CONFLICT (id) DO UPDATE SET {', '.join(sets)}{guard}"
        )
