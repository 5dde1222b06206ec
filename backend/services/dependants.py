"""Changes that build on one of the same store that could not be applied: they wait with it for a person.

Within one push whole rows are blocked (push.py). Across pushes it is told by what the author started from: a value that
only ever was in a parked change. Who gave the parked change up starts from the server's values again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.services.work import Refused, Work, key_of, not_found
from backend.storage.rows import Stored
from backend.storage.store import Key
from domain import tables, values, wire
from domain.tables import Policy

_NEVER_BUILT_ON = frozenset({Policy.STICKY, Policy.DERIVED, Policy.FIXED})


def depends() -> Refused:
    return Refused("depends", "It builds on a change that could not be applied.")


async def missing(work: Work, mutation: wire.Mutation, table: tables.Table) -> Refused:
    """Why there is no row: its making is parked, or nobody knows of it."""
    parked = await work.store.parked(work.sender, mutation.row_id.lower())
    if any(one.op is wire.Op.PUT and one.table == table.name for one in parked):
        return depends()
    return not_found(table)


async def check(work: Work, mutation: wire.Mutation, row: Stored, base: Mapping[str, Any]) -> None:
    """Raises: Refused, when its author started from a value that is parked."""
    odd = {name: value for name, value in base.items() if _matters(row, name, value)}
    if not odd:
        return
    for mid, said in await _parked(work, key_of(mutation), row.table):
        if mid < mutation.mid and any(name in said and said[name] == value for name, value in odd.items()):
            raise depends()


async def _parked(work: Work, key: Key, table: tables.Table) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """Number and values of what is parked of the row. Read once a push: what of it is parked in this one blocks the row."""
    if key not in work.parked:
        found = await work.store.parked(work.sender, key[1])
        work.parked[key] = [
            (one.mid, values.sound(table, one.patch)) for one in found if one.table == table.name
        ]
    return work.parked[key]


def _matters(row: Stored, name: str, value: Any) -> bool:
    return row.values[name] != value and row.table.by_name[name].policy not in _NEVER_BUILT_ON
