"""A failing run made smaller: acts are left out while it still breaks the same promise (delta debugging over the plan)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulation import faults, runs, sim

MOST_RUNS = 150
Fails = Callable[[faults.Setup], bool]


def shrunk(setup: faults.Setup, fails: Fails, most_runs: int = MOST_RUNS) -> faults.Setup:
    """The smallest setup found with at most so many runs. `setup` itself must fail."""
    acts = list(faults.plan(setup))
    budget, size = most_runs, max(1, len(acts) // 2)
    while size >= 1 and budget > 0:
        at, dropped = 0, False
        while at < len(acts) and budget > 0:
            fewer = acts[:at] + acts[at + size :]
            budget -= 1
            if fails(replace(setup, acts=tuple(fewer))):
                acts, dropped = fewer, True
            else:
                at += size
        size = size // 2 if not dropped or size > 1 else 0
    return replace(setup, acts=tuple(acts))


def same_failure(invariant: str) -> Fails:
    def fails(setup: faults.Setup) -> bool:
        found = runs.failure_of(setup)
        return found is not None and found.invariant == invariant

    return fails


def told(setup: faults.Setup, lines: int = 120) -> str:
    """The plan and the trace of a run that fails, to be read by a person."""
    with sim.simulated(setup) as run:
        try:
            run.run()
            verdict = "every promise held"
        except Exception as fault:  # noqa: BLE001 - told, whatever it is
            verdict = f"{type(fault).__name__}: {fault}"
        trace = run.world.lines
    acts = "\n".join(str(act) for act in faults.plan(setup))
    head = f"seed {setup.seed}, groups {setup.groups}, {setup.phones} phones, {setup.minutes} minutes"
    return (
        f"{head}\n\nThe plan:\n{acts}\n\nThe end of the trace:\n"
        + "\n".join(trace[-lines:])
        + f"\n\n{verdict}\n"
    )
