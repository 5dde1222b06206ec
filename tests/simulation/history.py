"""The server's history against what people remember: I1, I13, I14; the model's also against itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain import duplicates, wire
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
    _opt_outs(sim, past)
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


def _opt_outs(sim: Sim, past: list[Version]) -> None:
    """I14: none is undone, and nobody has a number or e-mail for which somebody said no, wherever, whenever, and whatever
    became of the change that said it."""
    leads = [version.after for version in past if version.table == "leads"]
    out = {
        way for lead in [*leads, *_refused_leads(sim)] if lead["opted_out"] for way in duplicates.ways(lead)
    }
    last = {version.row_id: version.after for version in past if version.table == "leads"}
    for row_id, lead in last.items():
        if not lead["opted_out"] and not out.isdisjoint(duplicates.ways(lead)):
            raise Violation("I14", f"{row_id} may be called, and its number may not")
    for version in past:
        if version.table == "leads" and version.before is not None:
            if version.before["opted_out"] and not version.after["opted_out"]:
                raise Violation("I14", f"the opt-out of {version.row_id} was undone")


def _refused_leads(sim: Sim) -> list[Mapping[str, Any]]:
    """What the server took of no lead, and answered. A server that lost commits may have lost the answer too."""
    if any(sim.world.counts[f"fault:{kind}"] for kind in ("failover", "restore_point")):
        return []
    parked = {
        (phone.name, line.mutation.mid)
        for phone in sim.phones
        for line in outbox.listed(phone.db, state=outbox.State.PARKED, limit=100_000)
        if line.code != "forbidden"  # who might not have made it there says nothing there (decision 0020)
    }
    return [
        {"phone": None, "email": None, "opted_out": None, **one.line.mutation.patch}
        for one in sim.ledger.written
        if one.line.mutation.op is wire.Op.PUT
        and (one.phone, one.line.mutation.mid) in parked
        and one.line.row[0] == "leads"
    ]
