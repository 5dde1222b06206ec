"""Many runs: which failed with what, what the runs really did, and what none of them did."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.simulation import faults, sim
from tests.simulation.model import Model
from tests.simulation.world import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`invariant`: its name, or the class of what was raised."""

    seed: int
    invariant: str
    said: str
    where: str = ""


@dataclass(slots=True)
class Report:
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """`met`: in how many runs a fault happened; `broken`: in how many of them (fault, promise) did not hold."""

    def add(self, other: Report) -> None:
        self.runs += other.runs
        self.counts.update(other.counts)
        self.failures += other.failures
        self.met.update(other.met)
        self.broken.update(other.broken)

    def note(self, counts: Mapping[str, int], failure: Failure | None) -> None:
        """One run."""
        self.runs += 1
        self.counts.update(counts)
        here = [what.removeprefix("fault:") for what in counts if what.startswith("fault:")]
        self.met.update(here)
        if failure:
            self.failures.append(failure)
            self.broken.update((fault, failure.invariant) for fault in here)


def failure_of(
    setup: faults.Setup, counts: Counter[str] | None = None, make_server: sim.MakeServer = Model
) -> Failure | None:
    """Run it once; None = every promise held."""
    logging.disable(logging.CRITICAL)  # parked poison is logged as it should be, thousands of times
    with sim.simulated(setup, make_server) as run:
        try:
            run.run()
        except Violation as fault:
            return Failure(seed=setup.seed, invariant=fault.invariant, said=str(fault))
        except Exception as fault:  # noqa: BLE001 - whatever the product raises is a finding
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
            return Failure(seed=setup.seed, invariant=type(fault).__name__, said=str(fault), where=where)
        finally:
            logging.disable(logging.NOTSET)
            if counts is not None:
                counts.update(run.world.counts)
                for number in setup.groups:
                    counts[f"group:{number}"] += 1
    return None


def run_all(seeds: Iterable[int]) -> Report:
    report = Report()
    for seed in seeds:
        counts: Counter[str] = Counter()
        found = failure_of(faults.setup_of(seed), counts)
        report.note(counts, found)
    return report


_PLANNED_ONLY = {
    "tear": "torn wal",
    "disk_full": "disk full",
    "move_lead": "move",
    "move_parent_first": "move",
}
"""What counts under another name when it happens."""
_BY_OTHER_MEANS = frozenset(
    "die_before_commit die_after_commit poison_parent corrupt_line revoke_while_loading revoke_while_offline".split()
)
MUST_OCCUR = (
    *(f"group:{group.number}" for group in faults.GROUPS),
    *sorted(
        {
            f"fault:{_PLANNED_ONLY.get(fault.kind, fault.kind)}"
            for group in faults.GROUPS
            for fault in group.faults
            if fault.kind not in _BY_OTHER_MEANS
        }
    ),
    "fault:too_old",
    "fault:killed in an update",
    "fault:server killed before the commit",
    "fault:server killed after the commit",
    *(f"status:{one}" for one in ("applied", "merged", "duplicate", "parked", "retry")),
    *(
        f"code:{one}"
        for one in (
            "bad_value",
            "row_deleted",
            "not_found",
            "group",
            "depends",
            "busy",
            "schema",
            "unknown_field",
        )
    ),
    *(f"conflict:{one}" for one in ("newest", "manual", "text", "delete", "duplicate")),
    *(
        f"decision:{one}"
        for one in ("let go", "sent again", "restored", "merge", "restore_loser", "keep_winner")
    ),
    *(f"action:{kind}" for kind in faults.USUAL if kind not in ("decide",)),
    *(
        f"action:{kind}"
        for kind in ("record", "record_long", "record_again", "edit_newer", "add_twin", "add_twins_out")
    ),
    "blob:same content",
    "blob:kept of a cut part",
    "changes over an update",
)
"""What 300 runs must have met: a fault that never happens proves nothing."""


def never_met(counts: Mapping[str, int]) -> list[str]:
    return [what for what in MUST_OCCUR if not counts.get(what)]
