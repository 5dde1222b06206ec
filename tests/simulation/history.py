"""The server's history against what people remember: I1, I13, I14; the model's also against itself."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from domain import wire
from storage import outbox
from tests.simulation import model_history
from tests.simulation.ledger import Written
from tests.simulation.model import Model
from tests.simulation.server import Version
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from tests.simulation.sim import Sim

_COUNTED = ("name", "source", "motivation", "title", "body")
"""Fields where a value that no other change carries can come in once only."""


def check(sim: Sim) -> None:
    """Raises: Violation."""
    past = sim.server.past()
    _nothing_lost(sim, past)
    _nothing_twice(sim, past)
    _the_dead_stay_dead(sim, past)
    _opt_outs(past)
    if isinstance(sim.server, Model):
        model_history.check(sim, sim.server)


def _nothing_lost(sim: Sim, past: list[Version]) -> None:
    """I1: each token is in the history, waits on its phone in a list, or a person let it go."""
    said = "\n".join(json.dumps(dict(version.after)) for version in past)
    listed = "\n".join(
        str(line.mutation.patch) for phone in sim.phones for line in outbox.listed(phone.db, limit=100_000)
    )
    rewound = any(sim.world.counts[f"fault:{kind}"] for kind in ("failover", "restore_point"))
    expected = [one for one in sim.ledger.written if not (one.excused or (one.only_there and rewound))]
    for written in expected:
        token = written.token
        if token and token not in said and token not in listed:
            raise Violation("I1", f"{written.phone} wrote {written.line.mutation}, and it is nowhere")
    deleted = {(version.table, version.row_id) for version in past if version.is_dead}
    made = {(version.table, version.row_id) for version in past}
    for written in expected:
        if not _waits(sim, written):
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


def _nothing_twice(sim: Sim, past: list[Version]) -> None:
    """I1: a value that one change carries comes into a row once. What a person restores counts as another change; so does
    what waited in a copied store: each copy sends it under a name of its own (older than what stands, it comes in nowhere,
    but hundreds of edits are made in one instant here)."""
    copies = sim.world.counts["fault:clone"]
    carried = Counter(
        (name, str(value))
        for written in sim.ledger.written
        for name, value in written.line.mutation.patch.items()
        if name in _COUNTED
    )
    came = Counter(
        (version.row_id, name, str(version.after.get(name)))
        for version in past
        for name in _COUNTED
        if version.by_device and _came_in(version, name)
    )
    for (row_id, name, value), times in came.items():
        if "x" in value and times > carried[(name, value)] + copies:
            raise Violation("I1", f"{value} came {times} times into {name} of {row_id}")


def _came_in(version: Version, name: str) -> bool:
    value = version.after.get(name)
    return value is not None and (version.before is None or version.before.get(name) != value)


def _the_dead_stay_dead(sim: Sim, past: list[Version]) -> None:
    for version in past:
        back = version.was_dead and not version.is_dead
        if back and version.table != "people" and (version.table, version.row_id) not in sim.ledger.restored:
            raise Violation("I13", f"{version.table} {version.row_id} came back by itself")


def _opt_outs(past: list[Version]) -> None:
    for version in past:
        if version.table == "leads" and version.before is not None:
            if version.before["opted_out"] and not version.after["opted_out"]:
                raise Violation("I14", f"the opt-out of {version.row_id} was undone")
