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

    def add(self, other: Report) -> None:
        self.runs += other.runs
        self.counts.update(other.counts)
        self.failures += other.failures


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
        report.runs += 1
        found = failure_of(faults.setup_of(seed), report.counts)
        if found:
            report.failures.append(found)
    return report


MUST_OCCUR = (
    *(f"group:{group.number}" for group in faults.GROUPS),
    *(
        f"fault:{kind}"
        for kind in (
            "cut_request cut_answer lost_answer half_open captive drip offline duplicate late replay swap poke_lost"
            " poke_twice poke_early crash torn\u00a0wal disk\u00a0full stamper_dead two_stampers long_transaction"
            " deadlock storm failover restore_point prune clock_day clock_decade clock_step reboot"
            " server_clock_step tokens_end refresh_fails disable_user other_user revoke move server_upgrade"
            " protocol_ahead restore_backup clone poison offset_behind offset_ahead upload_forgotten file_gone"
            " file_changed import_rows many_edits everyone_reconnects new_phone"
        ).split(" ")
    ),
    "fault:server killed before the commit",
    "fault:server killed after the commit",
    *(f"status:{one}" for one in ("applied", "merged", "duplicate", "parked", "retry")),
    *(f"code:{one}" for one in ("bad_value", "row_deleted", "not_found", "group", "depends", "busy")),
    *(f"conflict:{one}" for one in ("newest", "manual", "text", "delete", "duplicate")),
    *(
        f"decision:{one}"
        for one in ("let go", "sent again", "restored", "merge", "restore_loser", "keep_winner")
    ),
    *(f"action:{kind}" for kind in faults.USUAL if kind not in ("decide",)),
    "action:record",
    "blob:same content",
)
"""What 300 runs must have met: a fault that never happens proves nothing."""


def never_met(counts: Mapping[str, int]) -> list[str]:
    return [what for what in (one.replace("\u00a0", " ") for one in MUST_OCCUR) if not counts.get(what)]
