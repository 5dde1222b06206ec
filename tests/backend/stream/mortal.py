"""A Valkey of the test's own, which may be killed."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.embedded import process, valkey


@dataclass(slots=True)
class Mortal:
    """`durable`: with its append-only file, so that it comes back with what it held; else empty."""

    folder: Path
    durable: bool
    running: valkey.Valkey

    def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)
        process.wait_until(lambda: not process.alive(self.running.pid), 10)

    def start(self) -> None:
        self.running = _start(self.folder, self.durable)


def _start(folder: Path, durable: bool) -> valkey.Valkey:
    (folder / "valkey").mkdir(exist_ok=True)
    return valkey.start(folder / "valkey", sockets=folder, log=folder / "log", durable=durable)


@contextmanager
def opened(*, durable: bool = False) -> Iterator[Mortal]:
    with tempfile.TemporaryDirectory(prefix="v") as name:  # sockets want short paths
        folder = Path(name)
        process.own(folder)
        made = Mortal(folder, durable, _start(folder, durable))
        yield made
        if process.alive(made.running.pid):
            made.kill()
