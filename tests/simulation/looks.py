"""Looking at the rows and the feed in memory: the reading half of `backend.storage.store`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from backend.storage import kin
from backend.storage.feed import Entry, Head
from backend.storage.history import Span
from backend.storage.mutations import Sender
from backend.storage.rows import MADE, Stored
from backend.storage.store import Key
from domain import digests, duplicates, tables, values, wire
from tests.simulation.data import Data, Logged


class Looks:
    """`stamped`: the numbered lines of the log, in order."""

    def __init__(self, data: Data, stamped: list[Logged]) -> None:
        self._data = data
        self._stamped = stamped

    async def head(self) -> Head:
        data = self._data
        return Head(seq=data.head, floor=data.floor, incarnation=data.incarnation, ver_floor=data.ver_floor)

    async def entries(self, *, after: int, upto: int, scopes: Collection[str], limit: int) -> Sequence[Entry]:
        found: list[Entry] = []
        wanted, xid = set(scopes), 0
        for line in self._stamped:
            seq = line.seq or 0
            if not after < seq <= upto:
                continue
            if len(found) >= limit and line.xid != xid:
                break
            if wanted & set(line.scopes):
                found.append(
                    Entry(
                        seq=seq,
                        table=line.table,
                        row_id=line.row_id,
                        origin=line.origin or None,
                        ver=line.ver,
                        scope_from=line.scopes[0],
                        transaction=str(line.xid),
                    )
                )
                xid = line.xid
        return found

    async def page(
        self, table: tables.Table, *, scopes: Collection[str], after: tuple[str, str] | None, limit: int
    ) -> list[list[Any]]:
        found = self._living(table, lambda row: row.scope in scopes)
        found.sort(key=lambda row: (row.scope, row.id))
        return [listed(row) for row in found if after is None or (row.scope, row.id) > after][:limit]

    async def visible(
        self, table: tables.Table, ids: Collection[str], *, scopes: Collection[str]
    ) -> list[list[Any]]:
        found = (self._data.rows.get((table.name, row_id)) for row_id in sorted(set(ids)))
        return [listed(row) for row in found if row and not row.deleted and row.scope in scopes]

    async def changed(
        self, table: tables.Table, since: Mapping[str, int], *, scopes: Collection[str]
    ) -> list[tuple[list[Any], frozenset[str]]]:
        found = []
        for row in await self.visible(table, list(since), scopes=scopes):
            fver = self._data.rows[table.name, row[0]].fver
            found.append(
                (row, frozenset(n for n, mark in fver.items() if n != MADE and mark[0] > since[row[0]]))
            )
        return found

    async def count(self, scopes: Collection[str]) -> int:
        return sum(not row.deleted and row.scope in scopes for row in self._data.rows.values())

    async def due(
        self, *, agent_id: str, scopes: Collection[str], before: datetime, limit: int
    ) -> list[tuple[tables.Table, list[list[Any]]]]:
        text = values.time_text(before)

        def is_due(row: Stored) -> bool:
            said = row.values
            mine = said["agent_id"] == agent_id and row.scope in scopes
            return mine and said["done_at"] is None and said["due_at"] is not None and said["due_at"] < text

        tasks = sorted(self._living(tables.TASKS, is_due), key=lambda row: (row.values["due_at"], row.id))[
            :limit
        ]
        leads = {row.values["lead_id"] for row in tasks if row.values["lead_id"]}
        homes = self._living(tables.PROPERTIES, lambda row: row.values["lead_id"] in leads)
        wanted = {
            tables.LEADS: leads,
            tables.TASKS: {row.id for row in tasks},
            tables.PROPERTIES: {row.id for row in homes},
        }
        shown = [(table, await self.visible(table, ids, scopes=scopes)) for table, ids in wanted.items()]
        return [(table, some) for table, some in shown if some]

    async def sums(self, scopes: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for (name, row_id), row in self._data.rows.items():
            if not row.deleted and row.scope in scopes:
                number, total = found.setdefault(row.scope, {}).get(name, (0, 0))
                fresh = digests.total([total, digests.row_hash(row_id, row.ver)])
                found[row.scope][name] = (number + 1, fresh)
        return found

    async def range_sums(self, table: tables.Table, scope: str) -> dict[int, tuple[int, int]]:
        found: dict[int, tuple[int, int]] = {}
        for row in self._living(table, lambda row: row.scope == scope):
            number, total = found.get(digests.range_of(row.id), (0, 0))
            fresh = digests.total([total, digests.row_hash(row.id, row.ver)])
            found[digests.range_of(row.id)] = (number + 1, fresh)
        return found

    async def in_ranges(self, table: tables.Table, scope: str, ranges: Collection[int]) -> list[list[Any]]:
        found = self._living(table, lambda row: row.scope == scope and digests.range_of(row.id) in ranges)
        return [listed(row) for row in sorted(found, key=lambda row: row.id)]

    # What a merge has to know

    async def past_grants(self, user_id: str) -> Sequence[Span]:
        return self._data.grants.get(user_id, ())

    async def past_scopes(self, key: Key) -> Sequence[Span]:
        return self._data.moves.get(key, ())

    async def children(self, lead_id: str) -> Sequence[Stored]:
        names = [table.name for table in kin.CHILDREN]
        found = [row for row in self._data.rows.values() if row.values.get("lead_id") == lead_id]
        return sorted(found, key=lambda row: (names.index(row.table.name), row.id))

    async def same_contact(self, ways: Collection[str]) -> Sequence[Stored]:
        wanted = set(ways)
        leads = (row for (name, _), row in self._data.rows.items() if name == tables.LEADS.name)
        found = (row for row in leads if not wanted.isdisjoint(ways_of(row.values)))
        return sorted(found, key=lambda row: row.id)

    async def opted_out(self, ways: Collection[str]) -> set[str]:
        return {way for way in ways if way in self._data.opt_outs}

    async def pairs(self, lead_ids: Collection[str]) -> set[tuple[str, str]]:
        return {
            (row.values["lead_id"], row.values["row_id"])
            for (name, _), row in self._data.rows.items()
            if name == "conflicts" and row.values["unit"] == "duplicate" and row.values["lead_id"] in lead_ids
        }

    async def aliases(self, row_ids: Collection[str]) -> dict[str, str]:
        return {one: self._data.aliases[one] for one in row_ids if one in self._data.aliases}

    async def parked(self, sender: Sender, row_id: str) -> Sequence[wire.Mutation]:
        mine = sorted(mid for mid in self._data.parked if mid[:2] == (sender.device_id, sender.epoch))
        return [self._data.parked[mid] for mid in mine if self._data.parked[mid].row_id.lower() == row_id][
            -100:
        ]

    def _living(self, table: tables.Table, wanted: Callable[[Stored], bool]) -> list[Stored]:
        return [
            row
            for (name, _), row in self._data.rows.items()
            if name == table.name and not row.deleted and wanted(row)
        ]


def listed(row: Stored) -> list[Any]:
    return [row.id, row.ver, *map(row.values.__getitem__, row.table.columns)]


def ways_of(lead: Mapping[str, Any]) -> tuple[str, ...]:
    """As `duplicates.ways`: the database in memory has no index, it asks this of all leads again and again."""
    return _ways(lead["phone"], lead["email"])


@lru_cache(maxsize=4096)
def _ways(phone: str | None, email: str | None) -> tuple[str, ...]:
    return duplicates.ways({"phone": phone, "email": email})
