"""The model's history against itself, where nothing is hidden: I5, I9, I12."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backend.storage import origins
from domain import tables, wire
from tests.simulation.data import Applied, Write
from tests.simulation.model import Model
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

_JUDGED = (tables.Policy.NEWEST, tables.Policy.MANUAL, tables.Policy.TEXT)


def check(sim: Sim, model: Model) -> None:
    """Raises: Violation."""
    past = model.memory.history
    _conflicts(sim, model, past)
    _times(model, past)
    _feed(sim, model)


def _conflicts(sim: Sim, model: Model, past: list[Write]) -> None:
    """I5, from the history alone: whoever wrote over, or lost to, what they had not seen is in a record."""
    records = [row for key, row in model.memory.data.rows.items() if key[0] == "conflicts"]
    for row in records:
        values = row.values
        sim.world.count(f"conflict:{values['policy']}")
        winner, loser = values["winner"] or {}, values["loser"] or {}
        if values["policy"] != "delete" and all(
            winner.get(name) == loser.get(name) for name in {*winner, *loser}
        ):
            raise Violation("I5", f"conflict {row.id} is none: {winner}")
    told = [(row.values["row_id"], row.values["winner"] or {}, row.values["loser"] or {}) for row in records]
    made: dict[tuple[str, int], int] = {}
    for written in sim.ledger.written:
        change = written.line.mutation
        made[change.row_id.lower(), change.edit_ms] = written.at_ms
    by_row: dict[str, list[Write]] = {}
    for write in past:
        by_row.setdefault(write.row_id, []).append(write)
    for applied in model.memory.data.applied.values():
        if applied.seen.result.status in (wire.Status.APPLIED, wire.Status.MERGED):
            row_id = applied.mutation.row_id.lower()
            made_ms = made.get((row_id, applied.mutation.edit_ms), applied.at_ms)
            _judge(applied, model.lenses.raised, made_ms, by_row.get(row_id, []), told)


def _judge(
    applied: Applied,
    today: Callable[[wire.Mutation], wire.Mutation],
    made_ms: int,
    past: list[Write],
    told: list[tuple[str, Any, Any]],
) -> None:
    """What was written after the edit was made, its author can't have seen, whatever its version says: after a restore the
    numbers of two lives lie beside each other."""
    change, result = today(applied.mutation), applied.seen.result
    if change.op is not wire.Op.PATCH:
        return
    table = tables.BY_NAME[change.table]
    for name, mine in change.patch.items():
        if table.by_name[name].policy not in _JUDGED or table.by_name[name].unit != name:
            continue
        before = [write for write in past if write.at_ms <= applied.at_ms and write.after.ver < result.ver]
        last = next((write for write in reversed(before) if _changed(write, name)), None)
        if last is None or last.before is None:
            continue
        if last.after.ver <= change.base_ver and last.at_ms <= made_ms:
            continue
        theirs = last.after.values[name]
        if origins.same_store(last.origin, _store_of(applied)) or theirs in (mine, change.base.get(name)):
            continue
        pair = [theirs, mine]
        if not any(
            row_id == change.row_id
            and {str(one.get(name)) for one in (winner, loser)} & {str(v) for v in pair}
            for row_id, winner, loser in told
        ):
            raise Violation("I5", f"no record of {name} of {change.row_id}: {theirs!r} against {mine!r}")


def _changed(write: Write, name: str) -> bool:
    return write.before is None or write.before.values[name] != write.after.values[name]


def _store_of(applied: Applied) -> str:
    return origins.store_of(applied.sender.device_id, applied.sender.user_id)


def _times(model: Model, past: list[Write]) -> None:
    """I12: the time an edit counts as made lies between what its author had seen and its arrival."""
    arrived: dict[tuple[str, int], list[Applied]] = {}
    for applied in model.memory.data.applied.values():
        arrived.setdefault((applied.mutation.row_id, applied.at_ms), []).append(applied)
    for write in past:
        with_it = arrived.get((write.row_id, write.at_ms), [])
        if not with_it or write.before is None or not write.origin:
            continue
        received = write.received_ms
        seen = min(min(one.mutation.seen_server_ms for one in with_it), received)
        if not seen <= write.edit_ms <= received:
            raise Violation("I12", f"{write.row_id} counts as of {write.edit_ms}, not in {seen} … {received}")
    for key, row in model.memory.data.rows.items():
        if key[0] == "conflicts" and row.values["policy"] == "newest":
            if (row.values["winner_at"] or "") < (row.values["loser_at"] or ""):
                raise Violation("I12", f"the older edit won: {row.values}")


def _feed(sim: Sim, model: Model) -> None:
    """I9: numbers without a gap, each change once, a row's changes in their order; a reader has what is there."""
    memory = model.memory
    numbers = [line.seq for line in memory.stamped]
    if numbers != sorted(set(filter(None, numbers))):
        raise Violation("I9", "numbers of the feed go back or come twice")
    reader = sim.checks.reader
    if reader is not None:
        reader.catch_up()
        reader.compare()
