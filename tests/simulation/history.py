"""The server's history against what people remember: I1, I5, I9, I12, I13, I14."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from backend.services import pull
from domain import merge, tables, wire
from storage import outbox
from tests.simulation.ledger import Written
from tests.simulation.memory import Applied, Write
from tests.simulation.model import driven
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

_COUNTED = ("name", "source", "motivation", "title", "body")
"""Fields where a value that no other change carries can come in once only."""
_JUDGED = (tables.Policy.NEWEST, tables.Policy.MANUAL, tables.Policy.TEXT)


def check(sim: Sim) -> None:
    """Raises: Violation."""
    past = sim.server.memory.history
    _nothing_lost(sim, past)
    _nothing_twice(sim, past)
    _conflicts(sim, past)
    _times(sim, past)
    _the_dead_stay_dead(sim, past)
    _opt_outs(sim, past)
    _feed(sim)


def _nothing_lost(sim: Sim, past: list[Write]) -> None:
    """I1: each token is in the history, waits on its phone in a list, or a person let it go."""
    said = "\n".join(json.dumps(dict(write.after.values)) for write in past)
    listed = "\n".join(
        str(line.mutation.patch) for phone in sim.phones for line in outbox.listed(phone.db, limit=100_000)
    )
    for written in sim.ledger.written:
        token = written.token
        if token and not written.excused and token not in said and token not in listed:
            raise Violation("I1", f"{written.phone} wrote {written.line.mutation}, and it is nowhere")
    deleted = {(write.table, write.row_id) for write in past if write.after.deleted}
    made = {(write.table, write.row_id) for write in past}
    for written in sim.ledger.written:
        if not written.excused and not _waits(sim, written):
            change, row = written.line.mutation, written.line.row
            if change.op is wire.Op.DELETE and row not in deleted:
                raise Violation("I1", f"{written.phone} deleted {row}, and nobody knows")
            if change.op is wire.Op.PUT and row not in made:
                raise Violation("I1", f"{written.phone} made {row}, and it is nowhere")


def _waits(sim: Sim, written: Written) -> bool:
    """It stands in the list of what needs its person."""
    return any(
        line.row == written.line.row
        for phone in sim.phones
        for line in outbox.of_row(phone.db, *written.line.row)
    )


def _nothing_twice(sim: Sim, past: list[Write]) -> None:
    """I1: a value that one change carries comes into a row once. What a person restores counts as another change."""
    carried: Counter[tuple[str, str, str]] = Counter()
    for applied in sim.server.memory.data.applied.values():
        change = applied.mutation
        for name, value in change.patch.items():
            if name in _COUNTED:
                for row_id in {
                    change.row_id,
                    sim.server.memory.data.aliases.get(change.row_id, change.row_id),
                }:
                    carried[(row_id, name, str(value))] += 1
    came: Counter[tuple[str, str, str]] = Counter()
    for write in past:
        for name in _COUNTED:
            value = write.after.values.get(name)
            if (
                write.origin
                and value is not None
                and (write.before is None or write.before.values[name] != value)
            ):
                came[(write.row_id, name, str(value))] += 1
    for what, times in came.items():
        if times > carried[what]:
            raise Violation("I1", f"{what} came {times} times, was written {carried[what]} times")


def _conflicts(sim: Sim, past: list[Write]) -> None:
    """I5, from the history alone: whoever wrote over, or lost to, what they had not seen is in a record."""
    records = [row for key, row in sim.server.memory.data.rows.items() if key[0] == "conflicts"]
    for row in records:
        values = row.values
        sim.world.count(f"conflict:{values['policy']}")
        winner, loser = values["winner"] or {}, values["loser"] or {}
        if values["policy"] != "delete" and all(
            winner.get(name) == loser.get(name) for name in {*winner, *loser}
        ):
            raise Violation("I5", f"conflict {row.id} is none: {winner}")
    told = [(row.values["row_id"], row.values["winner"] or {}, row.values["loser"] or {}) for row in records]
    by_row: dict[str, list[Write]] = {}
    for write in past:
        by_row.setdefault(write.row_id, []).append(write)
    for applied in sim.server.memory.data.applied.values():
        if applied.seen.result.status in (wire.Status.APPLIED, wire.Status.MERGED):
            _judge(applied, by_row.get(applied.mutation.row_id.lower(), []), told)


def _judge(applied: Applied, past: list[Write], told: list[tuple[str, Any, Any]]) -> None:
    change, result = applied.mutation, applied.seen.result
    if change.op is not wire.Op.PATCH:
        return
    table = tables.BY_NAME[change.table]
    for name, mine in change.patch.items():
        if table.by_name[name].policy not in _JUDGED or table.by_name[name].unit != name:
            continue
        before = [write for write in past if write.at_ms <= applied.at_ms and write.after.ver < result.ver]
        last = next((write for write in reversed(before) if _changed(write, name)), None)
        if last is None or last.before is None or last.after.ver <= change.base_ver:
            continue
        theirs = last.after.values[name]
        if last.origin == _origin_of(applied) or theirs in (mine, change.base.get(name)):
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


def _origin_of(applied: Applied) -> str:
    from backend.storage import feed  # noqa: PLC0415

    return feed.origin(applied.sender.device_id, applied.sender.user_id)


def _times(sim: Sim, past: list[Write]) -> None:
    """I12: the time an edit counts as made lies between what its author had seen and its arrival."""
    arrived: dict[tuple[str, int], list[Applied]] = {}
    for applied in sim.server.memory.data.applied.values():
        arrived.setdefault((applied.mutation.row_id, applied.at_ms), []).append(applied)
    for write in past:
        with_it = arrived.get((write.row_id, write.at_ms), [])
        if not with_it or write.before is None or not write.origin:
            continue
        received = write.received_ms
        seen = min(min(one.mutation.seen_server_ms for one in with_it), received)
        if not seen <= write.edit_ms <= received:
            raise Violation("I12", f"{write.row_id} counts as of {write.edit_ms}, not in {seen} … {received}")
    for key, row in sim.server.memory.data.rows.items():
        if key[0] == "conflicts" and row.values["policy"] == "newest":
            if (row.values["winner_at"] or "") < (row.values["loser_at"] or ""):
                raise Violation("I12", f"the older edit won: {row.values}")


def _the_dead_stay_dead(sim: Sim, past: list[Write]) -> None:
    for write in past:
        back = write.before is not None and write.before.deleted and not write.after.deleted
        if back and write.table != "people" and (write.table, write.row_id) not in sim.ledger.restored:
            raise Violation("I13", f"{write.table} {write.row_id} came back by itself")


def _opt_outs(sim: Sim, past: list[Write]) -> None:
    for write in past:
        if write.table == "leads" and write.before is not None:
            if write.before.values["opted_out"] and not write.after.values["opted_out"]:
                raise Violation("I14", f"the opt-out of {write.row_id} was undone")


def _feed(sim: Sim) -> None:
    """I9: numbers without a gap, each change once, a row's changes in their order; a reader has what is there."""
    memory = sim.server.memory
    numbers = [line.seq for line in memory.stamped]
    if numbers != sorted(set(filter(None, numbers))):
        raise Violation("I9", "numbers of the feed go back or come twice")
    reader = sim.checks.reader
    if reader is not None:
        reader.catch_up()
        reader.compare()


__all__ = ["check", "driven", "merge", "pull"]
