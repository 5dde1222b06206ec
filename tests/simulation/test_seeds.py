"""300 seeds in every run of the tests, in shards so that all cores take part; equal seeds give equal runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import faults, runs, shrink, sim

SEEDS = int(os.environ.get("JORGE_SIM_SEEDS", "300"))
SHARD = 25
ROOT = Path(__file__).parents[2]
_COUNTED = runs.Report()


@pytest.mark.parametrize("first", range(0, SEEDS, SHARD))
def test_every_promise_holds_whatever_goes_wrong(first: int) -> None:
    report = runs.run_all(range(first, min(first + SHARD, SEEDS)))
    told = [f"seed {one.seed} breaks {one.invariant}: {one.said[:300]}" for one in report.failures]
    assert not told, "\n".join([*told, "make simulate FIRST=<seed> SEEDS=1 makes it smaller and tells it"])


def test_the_seeds_together_meet_every_fault() -> None:
    """By the plans alone, which costs nothing; `make simulate` counts what really happened."""
    planned = {act.kind for seed in range(SEEDS) for act in faults.plan(faults.setup_of(seed))}
    known = {fault.kind for group in faults.GROUPS for fault in group.faults}
    assert known <= planned
    assert {number for seed in range(SEEDS) for number in faults.setup_of(seed).groups} == set(
        faults.BY_NUMBER
    )


def test_the_same_seed_gives_the_same_run_in_another_process() -> None:
    """I10; with another order of sets and dicts, which must not matter."""
    hashes = {_trace_in_a_process(seed=str(number)) for number in (1, 2)}
    assert len(hashes) == 1


def _trace_in_a_process(seed: str) -> str:
    script = (
        "from tests.simulation import sim; print([sim.run_seed(n).world.trace_hash() for n in (4, 9, 21)])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_another_seed_gives_another_run() -> None:
    assert sim.run_seed(2).world.trace_hash() != sim.run_seed(4).world.trace_hash()


def test_a_failing_plan_is_made_smaller() -> None:
    """As long as the one act that matters is in it, it "fails"."""
    setup = faults.setup_of(3)
    acts = faults.plan(setup)
    culprit = acts[len(acts) // 2]
    small = shrink.shrunk(setup, lambda tried: culprit in faults.plan(tried))
    assert faults.plan(small) == (culprit,)
