"""The same work by PouchDB 9 and express-pouchdb, through the same counting proxy: what `make bench-sync-peer` runs beside ours.

Node's packages live outside the tree (`folder`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _leads, _line, _machine

HERE = Path(__file__).resolve().parent / "peer"
LOCATION = "018f0000-0000-7000-8000-0000000000a1"
NAME = "PouchDB 9"
_PACKAGE = ("package.json", "package-lock.json", ".npmrc")


@dataclass(slots=True, kw_only=True)
class Device:
    """The node process that plays the device; one step at a time."""

    process: subprocess.Popen[str]
    server_pid: int
    line: _line.Line

    def step(self, name: str) -> dict[str, float]:
        """CPU and wall seconds of one step, the server's CPU, bytes each way. Raises: SystemExit when it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        server, up, down = _machine.seconds(self.server_pid), self.line.up, self.line.down
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise SystemExit("the peer's device ended")
        return {
            **json.loads(said),
            "server": _machine.seconds(self.server_pid) - server,
            "up": self.line.up - up,
            "down": self.line.down - down,
        }


def folder() -> Path:
    """Where node's packages lie: never in the tree."""
    caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(caches) / "jorge-bench" / "peer"


def install(packages: Path) -> None:
    """`npm ci` where it has not been done for this lock file. Raises: SystemExit."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise SystemExit("The peer needs Node.js 18 or newer with npm, and none was found.")
    packages.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    mark = packages / "installed.lock"
    if mark.exists() and mark.read_bytes() == lock:
        return
    for name in _PACKAGE:
        shutil.copy(HERE / name, packages / name)
    done = subprocess.run(["npm", "ci", "--no-progress", "--loglevel=error"], cwd=packages, check=False)
    if done.returncode:
        raise SystemExit("npm could not install the peer; its message is above.")
    mark.write_bytes(lock)


def measured(packages: Path, place: Path, rows: int, edits: int) -> dict[str, float]:
    """The peer's values, by the names under which `_steps.py` asks for them."""
    steps, data = _worked(packages, place, rows, edits, speed=None)
    pull, edit, push, again = steps
    return {
        "pull_client": pull["cpu"],
        "pull_server": pull["server"],
        "pull_wall": pull["wall"],
        "pull_down": pull["down"] / rows,
        "pull_up": pull["up"],
        "disk": pull["disk"] / data,
        "edits_wall": edit["wall"],
        "write_cpu": 1000 * edit["cpu"] / edits,
        "push_client": push["cpu"],
        "push_server": push["server"],
        "push_wall": push["wall"],
        "push_up": push["up"] / edits,
        "push_down": push["down"] / edits,
        "next": again["up"] + again["down"],
    }


def over_slow_line(packages: Path, place: Path, rows: int, edits: int) -> dict[str, float]:
    (pull, _edit, push, _again), _data = _worked(packages, place, rows, edits, speed=_line.SLOW)
    return {"slow_pull": pull["wall"], "slow_push": push["wall"]}


def _worked(
    packages: Path, place: Path, rows: int, edits: int, *, speed: _line.Speed | None
) -> tuple[list[dict[str, float]], int]:
    """All steps in order, and the bytes of the leads' JSON. Raises: SystemExit when documents are missing."""
    place.mkdir(parents=True)
    data = _write_work(place, rows, edits)
    with (
        _serving(packages, place) as (pid, port),
        _line.line_to(port, speed) as line,
        _device(packages, place, pid, line) as device,
    ):
        steps = []
        for name in ("pull", "edit", "push", "next"):
            steps.append(device.step(name))
            steps[-1]["disk"] = _bytes_in(place / "device")
        if device.step("count")["docs"] != rows:
            raise SystemExit("the peer's device does not hold all documents")
    return steps, data


def _bytes_in(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())


def _write_work(place: Path, rows: int, edits: int) -> int:
    """The same leads and edits as ours, as files; bytes of the leads' JSON."""
    leads, size = {}, 0
    with (place / "docs.jsonl").open("w") as file:
        for lead in _leads.invented(rows, LOCATION):
            leads[lead["id"]] = lead
            size += _leads.json_bytes(lead)
            document = {"_id": lead["id"], **{name: value for name, value in lead.items() if name != "id"}}
            file.write(json.dumps(document, separators=(",", ":")) + "\n")
    typed = _leads.changes()
    with (place / "edits.jsonl").open("w") as file:
        for lead_id in random.Random(13).sample(sorted(leads), edits):
            change = next(typed)
            while all(leads[lead_id].get(name) == value for name, value in change.items()):
                change = next(typed)
            file.write(json.dumps({"id": lead_id, "change": change}) + "\n")
    return size


@contextmanager
def _serving(packages: Path, place: Path) -> Iterator[tuple[int, int]]:
    """Process and port of a server that holds the leads."""
    (place / "server").mkdir()
    with _node(packages, "server.js", str(place / "server"), str(place / "docs.jsonl")) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit("the peer's server did not start")
        yield process.pid, int(json.loads(said)["port"])


@contextmanager
def _device(packages: Path, place: Path, pid: int, line: _line.Line) -> Iterator[Device]:
    (place / "device").mkdir()
    words = (str(place / "device"), f"{line.url}/leads", str(place / "edits.jsonl"))
    with _node(packages, "client.js", *words) as process:
        yield Device(process=process, server_pid=pid, line=line)


@contextmanager
def _node(packages: Path, script: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A script of ours, with the packages of the folder outside the tree; ended at the end."""
    environment: dict[str, Any] = {**os.environ, "NODE_PATH": str(packages / "node_modules")}
    process = subprocess.Popen(
        ["node", str(HERE / script), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
