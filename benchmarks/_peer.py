"""The same work by PouchDB 9 and express-pouchdb, through the same counting proxy: what `make bench-sync-peer` runs beside ours.

Node and its packages live outside the tree, in the folder that JORGE_BENCH_PEER names.
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

from benchmarks import _leads, _line, _server

HERE = Path(__file__).resolve().parent / "peer"
LOCATION = "018f0000-0000-7000-8000-0000000000a1"
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
        server, up, down = _server.seconds(self.server_pid), self.line.up, self.line.down
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise SystemExit("the peer's device ended")
        return {
            **json.loads(said),
            "server": _server.seconds(self.server_pid) - server,
            "up": self.line.up - up,
            "down": self.line.down - down,
        }


def installed() -> Path | None:
    """The folder with node's packages, or None where the peer was not asked for."""
    folder = os.environ.get("JORGE_BENCH_PEER")
    return Path(folder) if folder else None


def install(folder: Path) -> None:
    """`npm ci` where it has not been done for this lock file. Raises: SystemExit."""
    if shutil.which("npm") is None:
        raise SystemExit("The peer needs Node.js 18 or newer with npm, and none was found.")
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    mark = folder / "installed.lock"
    if mark.exists() and mark.read_bytes() == lock:
        return
    for name in _PACKAGE:
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(["npm", "ci", "--no-progress", "--loglevel=error"], cwd=folder, check=False)
    if done.returncode:
        raise SystemExit("npm could not install the peer; its message is above.")
    mark.write_bytes(lock)


def measured(packages: Path, folder: Path, rows: int, edits: int) -> dict[str, float]:
    """What our benchmark calls its figures, by the names that `sync.py` gives them."""
    folder.mkdir(parents=True)
    data = _write_work(folder, rows, edits)
    with _serving(packages, folder) as (pid, port), _line.line_to(port) as line:
        with _device(packages, folder, pid, line) as device:
            pull, edit, push, again = (device.step(name) for name in ("pull", "edit", "push", "next"))
            if device.step("count")["docs"] != rows:
                raise SystemExit("the peer's device does not hold all documents")
            disk = sum(path.stat().st_size for path in (folder / "device").rglob("*") if path.is_file())
    return {
        "pull_client": pull["cpu"],
        "pull_server": pull["server"],
        "pull_wall": pull["wall"],
        "pull_down": pull["down"] / rows,
        "pull_up": pull["up"],
        "disk": disk / data,
        "edits_wall": edit["wall"],
        "write_cpu": 1000 * edit["cpu"] / edits,
        "push_client": push["cpu"],
        "push_server": push["server"],
        "push_wall": push["wall"],
        "push_up": push["up"] / edits,
        "push_down": push["down"] / edits,
        "next": again["up"] + again["down"],
    }


def _write_work(folder: Path, rows: int, edits: int) -> int:
    """The same leads and edits as ours, as files; bytes of the leads' JSON."""
    leads, size = {}, 0
    with (folder / "docs.jsonl").open("w") as file:
        for lead in _leads.invented(rows, LOCATION):
            leads[lead["id"]] = lead
            size += _leads.json_bytes(lead)
            document = {"_id": lead["id"], **{name: value for name, value in lead.items() if name != "id"}}
            file.write(json.dumps(document, separators=(",", ":")) + "\n")
    typed = _leads.changes()
    with (folder / "edits.jsonl").open("w") as file:
        for lead_id in random.Random(13).sample(sorted(leads), edits):
            change = next(typed)
            while all(leads[lead_id].get(name) == value for name, value in change.items()):
                change = next(typed)
            file.write(json.dumps({"id": lead_id, "change": change}) + "\n")
    return size


@contextmanager
def _serving(packages: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Process and port of a server that holds the leads."""
    (folder / "server").mkdir()
    with _node(packages, "server.js", str(folder / "server"), str(folder / "docs.jsonl")) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit("the peer's server did not start")
        yield process.pid, int(json.loads(said)["port"])


@contextmanager
def _device(packages: Path, folder: Path, pid: int, line: _line.Line) -> Iterator[Device]:
    (folder / "device").mkdir()
    words = (str(folder / "device"), f"{line.url}/leads", str(folder / "edits.jsonl"))
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
