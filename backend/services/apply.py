"""One mutation against the row it is about: may this person, does it fit, what does the merge say, write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.services import contact_safety, deciding, dependants, duplicates, moves, outcomes, seen
from backend.services.work import Refused, Work, fitting, is_alias, key_of, not_found
from backend.storage import conflicts, rows
from backend.storage.store import RefusedByStore
from domain import merge, tables, values, wire
from domain.tables import Policy

_TAKEN = "Another row of this location has the same external_id."
_CONTACT = frozenset({"phone", "email", "opted_out"})


async def apply(work: Work, mutation: wire.Mutation) -> wire.Result:
    """Raises: Refused, before anything of it is written; Passing and RefusedByStore for what only the store sees."""
    table = _writable(work, mutation)
    row = work.row(mutation)
    if row is None:
        if mutation.op is wire.Op.PUT:
            return await _make(work, mutation, table)
        raise await dependants.missing(work, mutation, table)
    if work.rights.sees(row):
        return await _change(work, mutation, row)
    if mutation.op is wire.Op.DELETE or not await work.rights.might_change(row, work.edit_ms(mutation)):
        raise not_found(table)
    return await _change_unseen(work, mutation, row)


def _writable(work: Work, mutation: wire.Mutation) -> tables.Table:
    table = tables.BY_NAME.get(mutation.table)
    if table is None:
        raise Refused("unknown_table", f"This server has no table {values.shown(mutation.table)}.")
    if work.actor.role.value not in table.writers:
        raise Refused("forbidden", f"Your role ({work.actor.role.value}) may not change {table.name}.")
    if not values.is_id(mutation.row_id):
        raise Refused("bad_value", "The row's id is no UUID.")
    if table is tables.CONFLICTS and mutation.op is not wire.Op.PATCH:
        raise Refused("forbidden", "Conflict records are made by the server; they can only be resolved.")
    return table


async def _make(work: Work, mutation: wire.Mutation, table: tables.Table) -> wire.Result:
    given = fitting(table, mutation.patch)
    for column in table.fields:
        if column.required and given.get(column.name) is None:
            raise Refused("bad_value", f"{column.name} must not be empty.")
    edit_ms = work.edit_ms(mutation)
    if not await work.rights.might(given["location_id"], edit_ms):
        raise Refused("forbidden", "You have no access to this row's location.")
    placed = await moves.beside_parent(work, table, given, edit_ms)
    if placed["location_id"] not in work.actor.locations:
        await work.as_server()
    row = work.hold(await _insert(work, table, mutation.row_id, placed, edit_ms))
    await work.as_device()
    if not _CONTACT.isdisjoint(placed) and table is tables.LEADS:
        work.contacts.add(row.id)
    await moves.flag_orphan(work, row, edit_ms)
    if not work.rights.sees(row):
        return _gone(mutation, mutation.base_ver + 1)
    return outcomes.done(mutation, row, differs=placed != given)


async def _insert(
    work: Work, table: tables.Table, row_id: str, given: Mapping[str, Any], edit_ms: int
) -> rows.Stored:
    if given.get("external_id") is None:
        return await work.store.insert(table, row_id, given, edit_ms=edit_ms)
    try:
        async with work.store.savepoint():
            return await work.store.insert(table, row_id, given, edit_ms=edit_ms)
    except RefusedByStore as fault:
        raise Refused("bad_value", _TAKEN) from fault


async def _change(work: Work, mutation: wire.Mutation, row: rows.Stored) -> wire.Result:
    if mutation.op is wire.Op.DELETE:
        return await _delete(work, mutation, row)
    patch = _checked_patch(mutation, row)
    if row.deleted:
        return await _on_deleted(work, mutation, row, patch)
    if is_alias(mutation, row):
        await work.as_server()
        await _merge(work, mutation, row, patch)
        await work.as_device()
        # The device drops the old row; the one it was merged into comes by the feed.
        return _gone(mutation, max(work.held[key_of(mutation)].ver, mutation.base_ver + 1))
    after, told = await _merge(work, mutation, row, patch)
    differs = told or _is_more(row, after, patch) or bool(seen.unseen(work, mutation, row))
    return outcomes.done(mutation, after, differs=differs)


def _is_more(before: rows.Stored, after: rows.Stored, patch: Mapping[str, Any]) -> bool:
    """The row is not just what the device has with the patch upon it.

    A version that leaps is the first in another life of the database: the device may have values that the former one lost.
    """
    return after.ver > before.ver + 1 or after.values != {**before.values, **patch}


async def _change_unseen(work: Work, mutation: wire.Mutation, row: rows.Stored) -> wire.Result:
    """Its author might change it then and may not see it now: it counts, and the answer tells nothing."""
    if row.table.append_only:
        raise not_found(row.table)
    patch = _changeable(row.table, fitting(row.table, mutation.patch))
    await work.as_server()  # if the row comes back to this device, it comes by the feed
    try:
        if row.deleted:
            await _on_deleted(work, mutation, row, patch)
        else:
            await _merge(work, mutation, row, patch)
    except Refused as refused:
        await work.as_device()
        raise not_found(row.table, about=refused) from refused
    await work.as_device()
    return _gone(mutation, mutation.base_ver + 1)


async def _delete(work: Work, mutation: wire.Mutation, row: rows.Stored) -> wire.Result:
    if row.table.append_only:
        raise Refused("append_only", f"What is in {row.table.name} stays; add another entry instead.")
    if row.deleted:
        return outcomes.done(mutation, row)
    unseen = seen.unseen(work, mutation, row)
    edit_ms = work.edit_ms(mutation)
    after = work.hold(await work.store.delete(row, edit_ms=edit_ms))
    if unseen:
        newest = max(unseen.values(), key=lambda change: change.ver)
        record = conflicts.Record(
            unit=conflicts.WHOLE_ROW,
            policy="delete",
            base={},
            winner=conflicts.Side(values={"deleted": True}, by=work.actor.id, at_ms=edit_ms),
            loser=conflicts.Side(
                values={name: row.values[name] for name in unseen}, by=newest.by, at_ms=newest.at_ms
            ),
        )
        await work.record(row, record)
    return outcomes.done(mutation, after)


def _checked_patch(mutation: wire.Mutation, row: rows.Stored) -> dict[str, Any]:
    patch = fitting(row.table, mutation.patch)
    if mutation.op is wire.Op.PUT:
        return patch  # made again: what can't change is left as it is
    if row.table.append_only:
        raise Refused("append_only", f"What is in {row.table.name} stays; add another entry instead.")
    for name, value in patch.items():
        if row.table.by_name[name].policy is Policy.FIXED and row.values[name] != value:
            raise Refused("fixed", f"{name} of {row.table.name} is set once and never changed.", ver=row.ver)
    return patch


async def _on_deleted(
    work: Work, mutation: wire.Mutation, row: rows.Stored, patch: Mapping[str, Any]
) -> wire.Result:
    """A put by somebody who sees it and knows of the deletion brings it back; other edits are kept for a person."""
    changed = _changeable(row.table, patch)
    edit_ms = work.edit_ms(mutation)
    if mutation.op is wire.Op.PUT and mutation.base_ver >= row.ver and work.rights.sees(row):
        kept = _without_undone_optout(row, changed)
        back = work.hold(await work.store.restore(row, kept, edit_ms=edit_ms))
        if row.table is tables.LEADS:
            work.contacts.add(row.id)  # it may come back with another number
        return outcomes.done(mutation, back, differs=True)
    raise Refused(
        "row_deleted",
        "Somebody deleted this meanwhile. Your change is kept: restore it with your change, or let it go.",
        ver=row.ver,
        row=row,
        record=conflicts.Record(
            unit=conflicts.WHOLE_ROW,
            policy="delete",
            base=values.sound(row.table, mutation.base),
            winner=conflicts.Side(values={"deleted": True}, by=None, at_ms=None),
            loser=conflicts.Side(values=changed, by=work.actor.id, at_ms=edit_ms),
        ),
    )


async def _merge(
    work: Work, mutation: wire.Mutation, row: rows.Stored, patch: Mapping[str, Any]
) -> tuple[rows.Stored, bool]:
    """The row afterwards, and whether there was a conflict. Refuses before it writes."""
    base = values.sound(row.table, mutation.base)
    await dependants.check(work, mutation, row, base)
    alias, edit_ms = is_alias(mutation, row), work.edit_ms(mutation)
    patch = deciding.checked(work, row, patch, edit_ms)
    if mutation.op is wire.Op.PUT:
        patch = await _made_again(work, row, patch, edit_ms)
    outcome = merge.merge(
        row.table,
        server=row.values,
        changes=seen.all_of(row) if alias else seen.changes(work, mutation, row),
        patch=patch,
        base=base,
        base_ver=0 if alias else seen.version(mutation, row),
        edit_ms=edit_ms,
        whole=not alias and seen.is_whole(mutation, row),
    )
    if outcome.refused:
        raise Refused("decided", "Somebody decided this meanwhile. Look at it again.", ver=row.ver)
    after = await _write(work, row, outcome.apply, edit_ms)
    for found in outcome.conflicts:
        await work.record(after, conflicts.of_merge(found, work.actor.id))
    return after, bool(outcome.conflicts)


async def _made_again(work: Work, row: rows.Stored, patch: Mapping[str, Any], edit_ms: int) -> dict[str, Any]:
    """What a put says of a row that is there; of the lead that the one it names was merged into."""
    changed = _changeable(row.table, patch)
    if row.table is not tables.LEADS and changed.get("lead_id"):
        changed["lead_id"] = (await moves.beside_parent(work, row.table, changed, edit_ms))["lead_id"]
    return changed


async def _write(work: Work, row: rows.Stored, given: Mapping[str, Any], edit_ms: int) -> rows.Stored:
    """The merged values, and what follows from them in other rows."""
    if row.table is tables.LEADS:
        if "location_id" in given:
            return await _move(work, row, given, edit_ms)
        if not _CONTACT.isdisjoint(given):
            contact_safety.keep_ways(work, row)
            work.contacts.add(row.id)
    elif row.table is tables.CONFLICTS:
        merging = await duplicates.merger(work, row, given)
        if merging is not None:
            after = await work.store.update(row, {**given, "loser": merging.told}, edit_ms=edit_ms)
            await duplicates.unite(work, merging, edit_ms)
            return work.hold(after)
    elif given.get("lead_id"):
        given = await moves.beside_parent(work, row.table, given, edit_ms)
    return work.hold(await work.store.update(row, given, edit_ms=edit_ms))


async def _move(work: Work, row: rows.Stored, given: Mapping[str, Any], edit_ms: int) -> rows.Stored:
    moves.check(work, row, given["location_id"])
    before = work.snapshot()
    try:
        async with work.store.savepoint():
            after = work.hold(await work.store.update(row, given, edit_ms=edit_ms))
            await moves.take_along(work, after, edit_ms)
    except RefusedByStore as fault:
        work.restore(before)
        raise Refused("bad_value", _TAKEN, ver=row.ver) from fault
    work.contacts.add(row.id)
    return after


def _gone(mutation: wire.Mutation, ver: int) -> wire.Result:
    """It is in, and the device has the row no more."""
    row = wire.Row(table=mutation.table, id=mutation.row_id, ver=ver, deleted=True)
    return wire.Result(mid=mutation.mid, status=wire.Status.MERGED, ver=ver, row=row)


def _changeable(table: tables.Table, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is set once, and without the location: a row is only moved by asking for it."""
    return {
        name: value
        for name, value in patch.items()
        if table.by_name[name].policy is not Policy.FIXED and name != "location_id"
    }


def _without_undone_optout(row: rows.Stored, patch: Mapping[str, Any]) -> dict[str, Any]:
    sticky = {name for name in patch if row.table.by_name[name].policy is Policy.STICKY}
    already = any(row.values[name] is True for name in sticky)
    return {name: value for name, value in patch.items() if not (already and name in sticky)}
