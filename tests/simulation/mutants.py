"""Faults planted on purpose: each must be caught by some seed, or the simulation proves nothing about it.

A mutant replaces one text of one file, in a copy of the tree. `python -m tests.simulation.mutants [name …]` plants them
one after another and prints which seed caught which. A seed counts only if the unspoilt tree passes it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, replace
from pathlib import Path

from tests.simulation import faults, runs

ROOT = Path(__file__).parents[2]
MOST_SEEDS = 400
_TREE = ("domain", "storage", "services", "backend", "sync", "devices", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`group`: the faults that should show it (0 = any); only seeds with them are run. `of_design`: sync.md names it.

    `seed`: one that caught it when it was looked for last; tried first, and if it fails to, the others follow. `minutes`: how long the runs are, where
    it is not the usual. `test`: the test that catches what runs meet too rarely to count on.
    """

    name: str
    file: str
    old: str
    new: str
    group: int = 0
    of_design: bool = False
    seed: int | None = None
    minutes: int = 0
    test: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`caught_by`: a seed, or "test"; "" = nothing."""

    mutant: Mutant
    caught_by: str
    invariant: str
    runs: int
    seconds: float


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="drop the dedup insert",
        seed=99,
        file="backend/services/push.py",
        old="    seen = await store.claim(sender, everything)\n",
        new="    await store.claim(sender, everything)\n    seen: dict[int, mutations.Seen] = {}\n",
        group=2,
        of_design=True,
    ),
    Mutant(
        name="feed by the log's own numbers, before they are stamped",
        seed=6,
        file="tests/simulation/memory.py",
        old="            self.data.head += 1\n            line.seq = self.data.head\n",
        new="            line.seq = line.log_id\n            self.data.head = max(self.data.head, line.log_id)\n",
        group=4,
        of_design=True,
    ),
    Mutant(
        name="skip the shadow",
        seed=1,
        file="storage/rebase.py",
        old="""    base = NOTHING if seen is None else Base(ver=seen[0], values=seen[1])
    tx.execute(_SHADOW + " DO NOTHING", _shadow(table, row_id, base))
""",
        new="    base = NOTHING if seen is None else Base(ver=seen[0], values=seen[1])\n",
        of_design=True,
    ),
    Mutant(
        name="acknowledge before the commit",
        seed=0,
        file="storage/outbox_writes.py",
        old="UPDATE outbox SET state = 'inflight', attempts",
        new="UPDATE outbox SET state = 'acked', acked_ms = 0, attempts",
        group=1,
        of_design=True,
    ),
    Mutant(
        name="ignore the drop list",
        seed=3,
        file="storage/pulled.py",
        old="    for name, row_id in page.removed:\n",
        new="    for name, row_id in page.removed[:0]:\n",
        of_design=True,
    ),
    Mutant(
        name="edit time unclamped",
        seed=10,
        file="domain/merge.py",
        old="    return max(min(edit_ms, received_ms), min(seen_server_ms, received_ms))\n",
        new="    return edit_ms\n",
        group=6,
        of_design=True,
    ),
    Mutant(
        name="a page older than an answer is believed",
        test="tests/sync/test_crossing.py",
        file="sync/steps.py",
        old="            if known.cursor != self.ask.cursor or not about.isdisjoint(self.crossing.answered):\n",
        new="            if known.cursor != self.ask.cursor:\n",
        group=5,
    ),
    Mutant(
        name="the filter of own changes leaves out others' too",
        seed=0,
        file="backend/services/pull.py",
        old="        if not origin or entry.origin != origin:\n",
        new="        if not origin or not entry.origin:\n",
    ),
    Mutant(
        name="one change that can't be applied refuses the whole push",
        seed=1,
        file="backend/services/push.py",
        old="    except Refused as refused:\n        if before",
        new="    except Refused as refused:\n        raise errors.ServerFaultError('poison') from refused\n        if before",
        group=11,
    ),
    Mutant(
        name="an opt-out can be undone",
        seed=24,
        file="domain/merge.py",
        old="    return {} if already else mine\n",
        new="    return mine\n",
    ),
    Mutant(
        name="an opt-out stays in its office",
        seed=16,
        file="backend/services/contact_safety.py",
        old="any(way in self.said for way in duplicates.ways(lead.values))",
        new="any(lead.scope in self.said.get(way, ()) for way in duplicates.ways(lead.values))",
        group=9,
    ),
    Mutant(
        name="the opt-out of a lead that is refused is forgotten",
        seed=42,
        file="backend/services/contact_safety.py",
        old="        work.said.setdefault(way, {})[scope] = said\n",
        new="        pass\n",
        group=9,
    ),
    Mutant(
        name="a lost location's rows stay",
        seed=9,
        file="storage/scopes.py",
        old='            f"SELECT id FROM {table.name} WHERE location_id NOT IN',
        new='            f"SELECT id FROM {table.name} WHERE 0 AND location_id NOT IN',
        group=8,
    ),
    Mutant(
        name="what the server asks to send again is dropped",
        seed=87,
        file="storage/pushed.py",
        old="        if result is None or result.status is Status.RETRY:\n            outbox_writes.mark_unanswered(tx, mutation.mid)\n",
        new="        if result is None or result.status is Status.RETRY:\n            outbox_writes.drop(tx, [mutation.mid])\n",
        group=4,
    ),
    Mutant(
        name="the loser leaves no record",
        seed=7,
        file="domain/merge.py",
        old="        if verdict is Verdict.NEWEST:\n            conflicts.append",
        new="        if verdict is Verdict.NEWEST and applied:\n            conflicts.append",
    ),
    Mutant(
        name="the journal is not sent again to a restored server",
        seed=3,
        file="storage/scopes.py",
        old="    tx.execute(\"UPDATE outbox SET state = 'pending', acked_ms = NULL WHERE state = 'acked'\")\n",
        new="",
        group=5,
    ),
    Mutant(
        name="half an action is applied",
        seed=1,
        file="backend/services/push.py",
        old="    together = work.store.savepoint() if len(group) > 1 else contextlib.nullcontext()\n",
        new="    together = contextlib.nullcontext()\n",
        group=11,
    ),
    Mutant(
        name="a recording counts as sent before all of it is there",
        seed=15,
        file="sync/file_steps.py",
        old="            if self.reached.sent >= self.blob.size:\n",
        new="            if self.reached.sent > 0:\n",
        group=12,
    ),
    Mutant(
        name="a recording that was not sent goes with its location",
        seed=127,
        file="storage/scopes.py",
        old="""    return _wipe_blobs(tx, note_ids, "state = 'sent'")\n""",
        new="""    return _wipe_blobs(tx, note_ids, "true")\n""",
        group=8,
    ),
    Mutant(
        name="no timer after a failure",
        seed=59,
        file="sync/machine.py",
        old="            self._out.append(Arm(one.name, seconds))\n",
        new="            pass\n",
        group=1,
    ),
    Mutant(
        name="a copy of a store keeps its name",
        seed=124,
        file="sync/steps.py",
        old="            cursor.new_device(tx)\n",
        new="",
        group=11,
    ),
    Mutant(
        name="pages send rows of any location",
        seed=0,
        file="backend/services/first_sync.py",
        old="    scopes = here.those(Reached.LOADING, asked.scopes)\n",
        new="    scopes = [row[0] for row in await store.visible(tables.LOCATIONS, [k[1] for k in store._data.rows], scopes=[k[1] for k in store._data.rows])]\n",
    ),
    Mutant(
        name="deletion forgets who deleted what was edited meanwhile",
        seed=0,
        file="backend/services/seen.py",
        old="    return {name: change for name, change in changes(work, mutation, row).items() if change.ver > seen}\n",
        new="    return {}\n",
    ),
    Mutant(
        name="an updated app is told that its former words are applied",
        seed=91,
        file="backend/services/conversation.py",
        old="        rows = await self._rows(older & applied)\n",
        new="        rows: dict[Key, wire.Row] = {}\n",
        group=10,
    ),
    Mutant(
        name="older apps get today's words",
        seed=5,
        file="domain/wire/lenses.py",
        old="        steps = self._steps(block.table, schema)\n        if not steps:\n",
        new="        steps = self._steps(block.table, schema)\n        if steps:\n",
        group=10,
    ),
    Mutant(
        name="an app that may not pull may not push",
        seed=18,
        file="backend/services/conversation.py",
        old="        answer = await push.push(",
        new="        self.lenses.check(self.schema)\n        answer = await push.push(",
        group=10,
    ),
    Mutant(
        name="contents that another release does not compare are asked for for ever",
        seed=5,
        file="sync/lanes.py",
        old="        if not due.content:\n            raise\n",
        new="        raise\n",
        group=10,
    ),
    Mutant(
        name="an upload that the server forgot is not begun anew",
        seed=126,
        file="sync/lanes.py",
        old="            pass  # the server forgot it: from the start\n",
        new="            raise\n",
        group=12,
    ),
    Mutant(
        name="a phone asks without a pause",
        seed=0,
        file="sync/lanes.py",
        old="        more, whole = kept.more, kept.whole\n",
        new="        more, whole = True, kept.whole\n",
    ),
)


def planted(mutant: Mutant, tree: Path) -> None:
    """Raises: AssertionError when the text is gone: the mutant must follow the code."""
    path = tree / mutant.file
    text = path.read_text()
    assert mutant.old, f"{mutant.name}: nothing to replace"
    assert text.count(mutant.old) == 1, f"{mutant.name}: {text.count(mutant.old)} times in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new))


def hunted(mutant: Mutant, most: int = MOST_SEEDS) -> Verdict:
    """Plant it in a copy of the tree, and run seeds until one breaks that the unspoilt tree passes."""
    began, tried = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="jorge-mutant-") as folder:
        tree = Path(folder)
        shutil.copy(ROOT / "pyproject.toml", tree)
        for name in _TREE:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        sound = bool(mutant.test) and _passes(mutant.test, tree)
        planted(mutant, tree)
        if mutant.test:
            caught = "test" if sound and not _passes(mutant.test, tree) else ""
            return _verdict(mutant, caught, "", 1, began)
        for seed, invariant in _breaking(mutant, tree, most):
            tried += 1
            if invariant and runs.failure_of(_setup(seed, mutant.minutes)) is None:
                return _verdict(mutant, str(seed), invariant, tried, began)
    return _verdict(mutant, "", "", tried, began)


def _passes(test: str, tree: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return (
        subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False).returncode == 0
    )


def _verdict(mutant: Mutant, caught_by: str, invariant: str, tried: int, began: float) -> Verdict:
    seconds = time.monotonic() - began
    return Verdict(mutant=mutant, caught_by=caught_by, invariant=invariant, runs=tried, seconds=seconds)


def _breaking(mutant: Mutant, tree: Path, most: int) -> Iterator[tuple[int, str]]:
    """Each seed that was run in the copy, and which promise it broke ("" = none)."""
    seeds = [seed for seed in range(most) if mutant.group in (0, *faults.setup_of(seed).groups)]
    if mutant.seed is not None:
        seeds = [mutant.seed, *(seed for seed in seeds if seed != mutant.seed)]
    command = [
        sys.executable,
        "-m",
        "tests.simulation.mutants",
        "--run",
        str(mutant.minutes),
        *map(str, seeds),
    ]
    environment = {**os.environ, "PYTHONPATH": str(tree), "TMPDIR": str(tree)}
    with subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            for line in running.stdout:
                seed, invariant = json.loads(line)
                yield seed, invariant
        finally:
            running.kill()


def _setup(seed: int, minutes: int) -> faults.Setup:
    usual = faults.setup_of(seed)
    return replace(usual, minutes=minutes or usual.minutes)


def _run(minutes: int, seeds: Sequence[str]) -> None:
    """In the copy: one line for each seed."""
    for seed in map(int, seeds):
        found = runs.failure_of(_setup(seed, minutes))
        print(json.dumps([seed, found.invariant if found else ""]), flush=True)


def main(names: Sequence[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = 0
    print(f"{'mutant':58} {'seed':>5} {'broke':14} {'runs':>5} {'s':>6}")
    with futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for verdict in pool.map(hunted, chosen):
            caught = verdict.caught_by or "-"
            missed += not verdict.caught_by
            named = verdict.mutant.name + (" *" if verdict.mutant.of_design else "")
            print(
                f"{named:58} {caught:>5} {verdict.invariant:14} {verdict.runs:5} {verdict.seconds:6.1f}",
                flush=True,
            )
    print(f"\n{len(chosen) - missed} of {len(chosen)} caught. * = named in the design (sync.md, 4)")
    return 1 if missed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run(int(sys.argv[2]), sys.argv[3:])
    else:
        from tests import scratch  # which is not in the copy

        with scratch.entered(scratch.place()):
            sys.exit(main(sys.argv[1:]))
