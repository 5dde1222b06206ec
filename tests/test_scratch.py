"""Temporary files are in memory where there is room, and gone when the run is, however it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.embedded import process
from tests import engines, scratch

HOLD = """
import subprocess, sys, tempfile
from pathlib import Path
from tests import engines, scratch
with scratch.entered(Path(sys.argv[1])), engines.shared() as running:
    app = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
    print(tempfile.gettempdir(), engines.folder(), running.postgres.pid, app.pid, flush=True)
    sys.stdin.read()
    app.kill()
    app.wait()
"""
GIB = 2**30


@pytest.fixture(autouse=True)
def _nobody_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)


def holder(memory: Path) -> tuple[subprocess.Popen[str], list[str]]:
    """A run of the tests that has begun: its temporary folder, its engines' folder, its PostgreSQL, an app."""
    running = subprocess.Popen(
        [sys.executable, "-c", HOLD, memory],
        env={**os.environ, "PYTHONPATH": str(engines.ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    return running, running.stdout.readline().split()


def test_a_place_with_room_is_taken(tmp_path: Path) -> None:
    assert scratch.place(tmp_path, room=1) == tmp_path


def test_a_place_that_is_too_small_is_left_alone(tmp_path: Path) -> None:
    assert scratch.place(tmp_path, room=2**60) is None


def test_a_machine_without_such_a_place_stays_on_the_disk(tmp_path: Path) -> None:
    assert scratch.place(tmp_path / "none", room=1) is None


def test_who_has_chosen_a_folder_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")

    assert scratch.place(tmp_path, room=1) is None


@pytest.mark.parametrize(
    ("cores", "free", "expected"),
    [
        (2, 20 * GIB, 2),
        (8, 2 * GIB, 2),
        (1, 20 * GIB, 2),
        (2, GIB // 2, 1),
        (64, 500 * GIB, scratch.MOST_WORKERS),
    ],
)
def test_there_are_as_many_workers_as_cores_and_memory_bear(cores: int, free: int, expected: int) -> None:
    assert scratch.workers(cores, free) == expected


def test_two_runs_at_once_have_nothing_in_common_and_leave_nothing(tmp_path: Path) -> None:
    runs = [holder(tmp_path) for _ in range(2)]
    folders = {Path(told[0]) for _, told in runs}
    assert folders == set(tmp_path.iterdir())
    assert {Path(told[1]).parent for _, told in runs} == folders
    assert len({told[2] for _, told in runs}) == 2

    for running, _ in runs:
        running.communicate()  # ends its input: the run ends by itself

    assert list(tmp_path.iterdir()) == []  # no waiting: who has left has cleared away


def test_a_run_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    running, (*_, postgres, app) = holder(tmp_path)

    running.kill()
    running.communicate()

    assert process.wait_until(lambda: not list(tmp_path.iterdir()), 20)
    assert not process.alive(int(postgres))
    assert not process.alive(int(app))
