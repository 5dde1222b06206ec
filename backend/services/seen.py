"""What the author of a change had seen of its row, and what others changed since."""

from __future__ import annotations

from backend.services.work import Work
from backend.storage import origins
from backend.storage.rows import Stored
from domain import merge, values, wire


def version(mutation: wire.Mutation, row: Stored) -> int:
    """The version that the author saw; 0: none. One that the row never had is not believed: another life of the database
    gave it, or nobody."""
    return mutation.base_ver if 0 < mutation.base_ver <= row.ver else 0


def changes(work: Work, mutation: wire.Mutation, row: Stored) -> dict[str, merge.Change]:
    """What other stores changed in the row, field by field. Who saw no version of a row that another store made has not
    seen what it came with, either."""
    others = row.changes(but_of=work.origin)
    if mutation.op is wire.Op.DELETE or version(mutation, row) or _made_it(work, mutation, row):
        return others
    return {**_as_made(row), **others}


def unseen(work: Work, mutation: wire.Mutation, row: Stored) -> dict[str, merge.Change]:
    """Those since the version that the author saw."""
    seen = version(mutation, row)
    return {name: change for name, change in changes(work, mutation, row).items() if change.ver > seen}


def all_of(row: Stored) -> dict[str, merge.Change]:
    """For the editor of another row, all of this one is news, at the latest since it was made."""
    return {**dict.fromkeys(row.table.columns, _making(row)), **row.changes(but_of="")}


def is_whole(mutation: wire.Mutation, row: Stored) -> bool:
    """It makes the row, for all that its author knew: what it does not say is empty."""
    if mutation.op is not wire.Op.PUT or version(mutation, row):
        return False
    return all(mutation.patch.get(one.name) is not None for one in row.table.fields if one.required)


def _made_it(work: Work, mutation: wire.Mutation, row: Stored) -> bool:
    """Of rows whose maker nobody knows, patches without a version are believed to be their maker's, as they ever were."""
    if row.maker is None:
        return mutation.op is wire.Op.PATCH and mutation.base_ver == 0
    return origins.same_store(row.maker.store, work.origin)


def _as_made(row: Stored) -> dict[str, merge.Change]:
    """The fields that are as they were when the row was made, of units that said something then."""
    table, making = row.table, _making(row)
    kept = [one for one in table.fields if one.name not in row.fver]
    said = {one.unit for one in kept if row.values[one.name] is not None}
    return {one.name: making for one in kept if one.unit in said}


def _making(row: Stored) -> merge.Change:
    if row.maker is not None:
        return merge.Change(ver=1, at_ms=row.maker.at_ms, by=row.maker.by)
    made = values.parse_time(row.values["created_at"])
    return merge.Change(ver=1, at_ms=int(made.timestamp() * 1000), by=None)
