"""One mutation against the row it is about: may this person, does it fit, what does the merge say, write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.actor import Actor
from backend.storage import conflicts, rows
from backend.storage.store import Changes, Key
from domain import errors, merge, tables, values, wire
from domain.tables import Policy


class Refused(Exception):
    """This mutation can't be applied; `record` and `keep` are still to be done (an edit of a deleted row)."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        row: rows.Stored | None = None,
        record: conflicts.Record | None = None,
        keep: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.row = row
        self.record = record
        self.keep = keep or {}


@dataclass(slots=True, kw_only=True)
class Work:
    """One transaction's work: who asks, from which origin, when it arrived, and the rows it holds locked."""

    store: Changes
    actor: Actor
    origin: str
    now: datetime
    held: dict[Key, rows.Stored] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        return int(self.now.timestamp() * 1000)


def key_of(mutation: wire.Mutation) -> Key:
    return mutation.table, mutation.row_id.lower()


async def apply(work: Work, mutation: wire.Mutation) -> wire.Result:
    """Raises: Refused; Passing and RefusedByStore for what only the store sees."""
    table = _writable(work, mutation)
    row = work.held.get(key_of(mutation))
    if mutation.op is wire.Op.PUT and row is None:
        return await _make(work, mutation, table)
    if row is None or row.scope not in work.actor.locations:
        raise Refused("not_found", f"There is no such row in {table.name}, or none that you may see.")
    if mutation.op is wire.Op.DELETE:
        return await _delete(work, mutation, row)
    patch = _checked_patch(mutation, row)
    if row.deleted:
        return await _on_deleted(work, mutation, row, patch)
    return await _merge(work, mutation, row, patch)


def _writable(work: Work, mutation: wire.Mutation) -> tables.Table:
    table = tables.BY_NAME.get(mutation.table)
    if table is None:
        raise Refused("unknown_table", f"This server has no table {mutation.table!r:.60}.")
    if work.actor.role.value not in table.writers:
        raise Refused("forbidden", f"Your role ({work.actor.role.value}) may not change {table.name}.")
    if not values.is_id(mutation.row_id):
        raise Refused("bad_value", "The row's id is no UUID.")
    if table is tables.CONFLICTS and mutation.op is not wire.Op.PATCH:
        raise Refused("forbidden", "Conflict records are made by the server; they can only be resolved.")
    return table


async def _make(work: Work, mutation: wire.Mutation, table: tables.Table) -> wire.Result:
    patch = _fitting(table, mutation.patch)
    for column in table.fields:
        if column.required and patch.get(column.name) is None:
            raise Refused("bad_value", f"{column.name} must not be empty.")
    if patch["location_id"] not in work.actor.locations:
        raise Refused("forbidden", "You have no access to this row's location.")
    row = await work.store.insert(table, mutation.row_id, patch)
    work.held[key_of(mutation)] = row
    return wire.Result(mid=mutation.mid, status=wire.Status.APPLIED, ver=row.ver)


async def _delete(work: Work, mutation: wire.Mutation, row: rows.Stored) -> wire.Result:
    if row.table.append_only:
        raise Refused("append_only", f"What is in {row.table.name} stays; add another entry instead.")
    if not row.deleted:
        unseen = _unseen(work, mutation, row)
        after = await work.store.delete(row, edit_ms=_edit_ms(work, mutation))
        work.held[key_of(mutation)] = after
        if unseen:
            newest = max(unseen.values(), key=lambda change: change.ver)
            record = conflicts.Record(
                unit=conflicts.WHOLE_ROW,
                policy="delete",
                base={},
                winner=conflicts.Side(
                    values={"deleted": True}, by=work.actor.id, at_ms=_edit_ms(work, mutation)
                ),
                loser=conflicts.Side(
                    values={name: row.values[name] for name in unseen}, by=newest.by, at_ms=newest.at_ms
                ),
            )
            await _record(work, row, record)
        row = after
    return wire.Result(mid=mutation.mid, status=wire.Status.APPLIED, ver=row.ver)


def _checked_patch(mutation: wire.Mutation, row: rows.Stored) -> dict[str, Any]:
    patch = _fitting(row.table, mutation.patch)
    if mutation.op is wire.Op.PUT:
        return patch  # made again: what can't change is left as it is
    if row.table.append_only:
        raise Refused("append_only", f"What is in {row.table.name} stays; add another entry instead.")
    for name, value in patch.items():
        if row.table.by_name[name].policy is Policy.FIXED and row.values[name] != value:
            raise Refused("fixed", f"{name} of {row.table.name} is set once and never changed.", row=row)
    return patch


async def _on_deleted(
    work: Work, mutation: wire.Mutation, row: rows.Stored, patch: Mapping[str, Any]
) -> wire.Result:
    """A put by somebody who knows of the deletion brings the row back; any other edit is kept for a person."""
    changed = _changeable(row.table, patch)
    if mutation.op is wire.Op.PUT and mutation.base_ver >= row.ver:
        after = await work.store.restore(
            row, _without_undone_optout(row, changed), edit_ms=_edit_ms(work, mutation)
        )
        work.held[key_of(mutation)] = after
        return wire.Result(mid=mutation.mid, status=wire.Status.MERGED, ver=after.ver, row=after.on_wire())
    raise Refused(
        "row_deleted",
        "Somebody deleted this meanwhile. Your change is kept: restore it with your change, or let it go.",
        row=row,
        record=conflicts.Record(
            unit=conflicts.WHOLE_ROW,
            policy="delete",
            base=values.sound(row.table, mutation.base),
            winner=conflicts.Side(values={"deleted": True}, by=None, at_ms=None),
            loser=conflicts.Side(values=changed, by=work.actor.id, at_ms=_edit_ms(work, mutation)),
        ),
        keep={
            name: value
            for name, value in _without_undone_optout(row, changed).items()
            if row.table.by_name[name].policy is Policy.STICKY
        },
    )


async def _merge(
    work: Work, mutation: wire.Mutation, row: rows.Stored, patch: Mapping[str, Any]
) -> wire.Result:
    edit_ms = _edit_ms(work, mutation)
    outcome = merge.merge(
        row.table,
        server=row.values,
        changes=row.changes(but_of=work.origin),
        patch=patch,
        base=values.sound(row.table, mutation.base),
        base_ver=mutation.base_ver,
        edit_ms=edit_ms,
    )
    after = await work.store.update(row, outcome.apply, edit_ms=edit_ms)
    work.held[key_of(mutation)] = after
    for found in outcome.conflicts:
        await _record(work, row, conflicts.of_merge(found, work.actor.id))
    differs = (
        bool(outcome.conflicts)
        or bool(_unseen(work, mutation, row))
        or any(after.values[name] != value for name, value in patch.items())
    )
    return wire.Result(
        mid=mutation.mid,
        status=wire.Status.MERGED if differs else wire.Status.APPLIED,
        ver=after.ver,
        row=after.on_wire() if differs else None,
    )


async def aftermath(work: Work, refused: Refused) -> None:
    """What a refusal still leaves behind: the record of a lost edit, and an opt-out whatever became of the row."""
    row = refused.row
    if row is None:
        return
    if refused.keep:
        work.held[(row.table.name, row.id)] = await work.store.update(row, refused.keep, edit_ms=work.now_ms)
    if refused.record is not None:
        await _record(work, row, refused.record)


async def _record(work: Work, row: rows.Stored, record: conflicts.Record) -> None:
    await work.store.add_conflict(row, record, now=work.now)


def _edit_ms(work: Work, mutation: wire.Mutation) -> int:
    clamped = merge.clamp_edit_ms(
        mutation.edit_ms, seen_server_ms=mutation.seen_server_ms, received_ms=work.now_ms
    )
    return max(clamped, 0)


def _unseen(work: Work, mutation: wire.Mutation, row: rows.Stored) -> dict[str, merge.Change]:
    """What others changed since the version that the editor saw."""
    changes = row.changes(but_of=work.origin)
    return {name: change for name, change in changes.items() if change.ver > mutation.base_ver}


def _fitting(table: tables.Table, patch: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values.check_values(table, patch)
        return values.canonical(table, patch)
    except errors.InputError as fault:
        raise Refused("bad_value", fault.message) from fault
    except OverflowError as fault:
        raise Refused("bad_value", "A time lies beyond the calendar.") from fault


def _changeable(table: tables.Table, patch: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in patch.items() if table.by_name[name].policy is not Policy.FIXED}


def _without_undone_optout(row: rows.Stored, patch: Mapping[str, Any]) -> dict[str, Any]:
    sticky = {name for name in patch if row.table.by_name[name].policy is Policy.STICKY}
    already = any(row.values[name] is True for name in sticky)
    return {name: value for name, value in patch.items() if not (already and name in sticky)}
