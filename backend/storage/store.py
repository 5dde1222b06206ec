"""What push and pull need of the synced data: one transaction of it, whatever keeps it.

PostgreSQL keeps it in the product (pg_store.py); the simulation keeps it in memory and runs the same decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from backend.storage.conflicts import Record
from backend.storage.feed import Entry, Head
from backend.storage.history import Span
from backend.storage.mutations import Seen, Sender
from backend.storage.rows import Stored
from domain import tables, wire

Key = tuple[str, str]
"""(table, row id in small letters)"""


class Passing(Exception):
    """Another transaction was in the way (a deadlock): the same may well work in a moment."""


class RefusedByStore(Exception):
    """The store itself takes no such values (a constraint, a value it can't hold). The transaction is lost."""


class Changes(Protocol):
    """One transaction of changes: all of it is kept at its end, or none. Raises: Passing, RefusedByStore."""

    async def claim(self, sender: Sender, mutations: Sequence[wire.Mutation]) -> dict[int, Seen]:
        """Enter `mutations` as arrived; those that had arrived before, by mid. Waits for a twin of this request."""

    async def settle(self, sender: Sender, results: Sequence[wire.Result]) -> None:
        """Keep what became of claimed mutations, without the rows."""

    async def park(self, sender: Sender, mutation: wire.Mutation, result: wire.Result) -> None:
        """Keep what could not be applied, for support."""

    async def act_as(self, *, actor_id: str, origin: str) -> None:
        """Who writes from here on, and from which store (origins.py; "" = the server itself)."""

    async def lock(self, wanted: Collection[Key]) -> dict[Key, Stored]:
        """Those of `wanted` that exist, deleted ones too, held until the transaction ends."""

    async def insert(
        self, table: tables.Table, row_id: str, given: Mapping[str, Any], *, edit_ms: int = 0
    ) -> Stored:
        """A new row, with the mark of who made it and when (`edit_ms`), unless that is the server itself."""

    async def update(self, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
        """The row after writing `given`: one version on, unless nothing changes."""

    async def delete(self, row: Stored, *, edit_ms: int) -> Stored: ...

    async def restore(self, row: Stored, given: Mapping[str, Any], *, edit_ms: int) -> Stored:
        """A deleted row brought back with the values `given`."""

    async def add_conflict(self, row: Stored, record: Record, *, now: datetime) -> None:
        """A conflict record about `row`, written by the server itself (no origin): every device pulls it."""

    async def past_grants(self, user_id: str) -> Sequence[Span]:
        """Locations that this person was granted once, and that were taken away again."""

    async def past_scopes(self, key: Key) -> Sequence[Span]:
        """The locations that the row has left, the oldest first."""

    async def children(self, lead_id: str) -> Sequence[Stored]:
        """All rows with this `lead_id`, of every table, deleted ones too, held like locked ones."""

    async def same_contact(self, ways: Collection[str]) -> Sequence[Stored]:
        """Leads of every location, deleted ones too, with one of these numbers or e-mails (`duplicates.ways`), in id order;
        held like locked ones. Two transactions that ask wait for each other."""

    async def opted_out(self, ways: Collection[str]) -> set[str]:
        """Those of `ways` that were remembered."""

    async def remember_opt_outs(self, ways: Collection[str]) -> None:
        """From here on they are opted out, whatever becomes of the leads."""

    async def pairs(self, lead_ids: Collection[str]) -> set[tuple[str, str]]:
        """(lead_id, row_id) of all conflicts of the unit "duplicate" about these leads, settled or not."""

    async def aliases(self, row_ids: Collection[str]) -> dict[str, str]:
        """Of these ids: those of leads that were merged, and which lead they are now."""

    async def add_alias(self, old_id: str, new_id: str) -> None:
        """From here on `old_id`, and whatever was merged into it before, is `new_id`."""

    async def parked(self, sender: Sender, row_id: str) -> Sequence[wire.Mutation]:
        """This store's mutations of the row that were parked, the oldest first (the newest hundred)."""

    async def renew_incarnation(self, known: str) -> str | None:
        """Begin another life of the database, unless it is not `known` any more: then None."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """What is done within it is undone when an exception leaves it; the transaction goes on."""


class Reading(Protocol):
    """A look at the rows and at the feed."""

    async def head(self) -> Head: ...

    async def entries(self, *, after: int, upto: int, scopes: Collection[str], limit: int) -> Sequence[Entry]:
        """Numbered changes that touch `scopes`: `limit` or a few more, whole transactions."""

    async def page(
        self, table: tables.Table, *, scopes: Collection[str], after: tuple[str, str] | None, limit: int
    ) -> list[list[Any]]:
        """Rows as lists [id, ver, value …] in (scope, id) order after the pair `after`."""

    async def visible(
        self, table: tables.Table, ids: Collection[str], *, scopes: Collection[str]
    ) -> list[list[Any]]:
        """Those of `ids` that live in `scopes` now, as lists, in id order."""

    async def changed(
        self, table: tables.Table, since: Mapping[str, int], *, scopes: Collection[str]
    ) -> list[tuple[list[Any], frozenset[str]]]:
        """As `visible`, of rows by id, each with the names of all fields that changed after the version given for it."""

    async def count(self, scopes: Collection[str]) -> int:
        """How many rows a first sync of `scopes` brings."""

    async def due(
        self, *, agent_id: str, scopes: Collection[str], before: datetime, limit: int
    ) -> list[tuple[tables.Table, list[list[Any]]]]:
        """The agent's open tasks due before then, the earliest `limit` of them, and their leads and these leads' properties.

        Table by table in the order of `tables.ALL`, as lists in id order; tables without rows left out.
        """

    async def sums(self, scopes: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
        """Location → table → (rows, sum of `digests.row_hash(id, ver)` in 64 bits); tables without rows left out."""

    async def range_sums(self, table: tables.Table, scope: str) -> dict[int, tuple[int, int]]:
        """The same of one location's table, by `digests.range_of(id)`; ranges without rows left out."""

    async def in_ranges(self, table: tables.Table, scope: str, ranges: Collection[int]) -> list[list[Any]]:
        """All rows of these ranges, as lists in id order."""


class Store(Changes, Reading, Protocol):
    """Both; inside a transaction a look sees its changes."""


class Stores(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[Store]:
        """Kept at its end; undone when an exception leaves it."""

    def read(self) -> AbstractAsyncContextManager[Reading]:
        """For looking only; each look sees what is committed by then."""
