"""One push's transaction in the making: who asks, what they hold locked, and why something was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.actor import Actor
from backend.services.rights import Rights
from backend.storage import conflicts, rows
from backend.storage.mutations import Sender
from backend.storage.store import Changes, Key
from domain import errors, merge, tables, values, wire
from domain.wire.lenses import CHAIN, Chain


class Refused(Exception):
    """This mutation can't be applied. `ver`: what its person is told; `record`: kept about `row` all the same."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        ver: int = 0,
        row: rows.Stored | None = None,
        record: conflicts.Record | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.ver = ver
        self.row = row
        self.record = record


def not_found(table: tables.Table, *, about: Refused | None = None) -> Refused:
    """The same words for no row and for one that this person may not see."""
    return Refused(
        "not_found",
        f"There is no such row in {table.name}, or none that you may see.",
        row=about.row if about else None,
        record=about.record if about else None,
    )


Snapshot = tuple[dict[Key, rows.Stored], dict[str, str], set[str], set[str]]


@dataclass(slots=True, kw_only=True)
class Work:
    """`held`: the locked rows as they are by now; `aliases`: merged leads and what they are now."""

    store: Changes
    actor: Actor
    sender: Sender
    origin: str
    now: datetime
    rights: Rights
    lenses: Chain = CHAIN
    held: dict[Key, rows.Stored] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    contacts: set[str] = field(default_factory=set)
    """Leads whose phone, e-mail or opt-out changed: they are compared with others at the end."""
    said: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Numbers and e-mails that a refused change opted out, and by location what it said; no later refusal undoes it."""
    parked: dict[Key, Sequence[tuple[int, Mapping[str, Any]]]] = field(default_factory=dict)
    """Numbers and values of what was parked before, of rows that were asked for (dependants.py)."""
    orphaned: set[str] = field(default_factory=set)
    """Deleted leads that got a child in this push: told once."""

    @property
    def now_ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    def lead(self, lead_id: object) -> rows.Stored | None:
        """The lead as it is held; the one it was merged into."""
        wanted = str(lead_id).lower()
        return self.held.get((tables.LEADS.name, self.aliases.get(wanted, wanted)))

    def row(self, mutation: wire.Mutation) -> rows.Stored | None:
        """The row that the mutation is about; deletions mean the very row they name."""
        if mutation.table == tables.LEADS.name and mutation.op is not wire.Op.DELETE:
            return self.lead(mutation.row_id)
        return self.held.get(key_of(mutation))

    def hold(self, row: rows.Stored) -> rows.Stored:
        self.held[(row.table.name, row.id)] = row
        return row

    def edit_ms(self, mutation: wire.Mutation) -> int:
        """The time the edit counts as made."""
        clamped = merge.clamp_edit_ms(
            mutation.edit_ms, seen_server_ms=mutation.seen_server_ms, received_ms=self.now_ms
        )
        return max(clamped, 0)

    def snapshot(self) -> Snapshot:
        return dict(self.held), dict(self.aliases), set(self.contacts), set(self.orphaned)

    def restore(self, before: Snapshot) -> None:
        """What was done since is undone in the store as well."""
        self.held, self.aliases, self.contacts, self.orphaned = before

    async def record(self, row: rows.Stored, record: conflicts.Record) -> None:
        await self.store.add_conflict(row, record, now=self.now)

    async def as_server(self) -> None:
        """What is written from here on, this device pulls like any other."""
        await self.store.act_as(actor_id=self.actor.id, origin="")

    async def as_device(self) -> None:
        """What is written from here on, this device knows by the answer."""
        await self.store.act_as(actor_id=self.actor.id, origin=self.origin)


def key_of(mutation: wire.Mutation) -> Key:
    return mutation.table, mutation.row_id.lower()


def is_alias(mutation: wire.Mutation, row: rows.Stored) -> bool:
    """The mutation names a lead that was merged into this one."""
    return mutation.row_id.lower() != row.id


def fitting(table: tables.Table, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The values in canonical form. Raises: Refused."""
    try:
        values.check_values(table, patch)
        return values.canonical(table, patch)
    except errors.InputError as fault:
        raise Refused("bad_value", fault.message) from fault
