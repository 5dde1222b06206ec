"""PostgreSQL and Valkey out of their wheels, for one machine: first in starts them, last out stops them.

Every process that uses the engines of a data folder holds a shared lock on `engines.lock`; the kernel drops it
when the process dies, however it dies. Whoever leaves and finds nobody else stops the engines. An engine that
outlived its starter (kill -9) is adopted by the next one; one that died itself recovers at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.embedded import postgres, process, valkey
from domain import errors

logger = logging.getLogger(__name__)

DATABASE = "jorge"
_LONGEST_SOCKET_FOLDER = 85


@dataclass(slots=True, kw_only=True)
class Engines:
    """The engines of one folder, and this process's share in them: give it back with `release`."""

    folder: Path
    durable: bool
    share: int
    postgres: postgres.Postgres | None = None
    valkey: valkey.Valkey | None = None

    def database_url(self, database: str = DATABASE) -> str:
        return self.postgres.url(database) if self.postgres else ""

    def redis_url(self, database: int = 0) -> str:
        return self.valkey.url(database) if self.valkey else ""


def start(
    folder: Path, *, with_postgres: bool = True, with_valkey: bool = True, durable: bool = True
) -> Engines:
    """Start, join or adopt the engines under `folder`; blocking. Raises: EngineError."""
    folder = folder.resolve()
    _make_folder(folder)
    with _alone(folder / "engines.starting"):
        running = Engines(folder=folder, durable=durable, share=_shared_lock(folder / "engines.lock"))
        try:
            _start(running, with_postgres=with_postgres, with_valkey=with_valkey)
        except BaseException:
            if _nobody_else(running.share):
                _stop(running)  # the one that did start is of no use to anybody
            os.close(running.share)
            raise
    return running


def revive(engines: Engines) -> bool:
    """Start again whichever of them has died; blocking. True when there was something to do. Raises: EngineError."""
    died = [part for part in (engines.postgres, engines.valkey) if part and not process.alive(part.pid)]
    if not died:
        return False
    with _alone(engines.folder / "engines.starting"):
        if engines.share < 0:
            return False  # given back meanwhile
        _start(engines, with_postgres=engines.postgres is not None, with_valkey=engines.valkey is not None)
    return True


def release(engines: Engines) -> bool:
    """Give back this process's share; the last one stops the engines and gets True. Blocking."""
    with _alone(engines.folder / "engines.starting"):
        last = _nobody_else(engines.share)
        if last:
            _find_again(engines)
            _stop(engines)
        os.close(engines.share)
        engines.share = -1
    return last


def _find_again(engines: Engines) -> None:
    """Those that died here and that another process has started again since."""
    sockets = _socket_folder(engines.folder)
    if engines.postgres and not process.alive(engines.postgres.pid):
        engines.postgres = postgres.left_running(engines.folder / "postgres", sockets)
    if engines.valkey and not process.alive(engines.valkey.pid):
        engines.valkey = valkey.left_running(engines.folder / "valkey", sockets)


def _stop(engines: Engines) -> None:
    if engines.postgres:
        postgres.stop(engines.postgres)
    if engines.valkey:
        valkey.stop(engines.valkey)
    (engines.folder / "engines.json").unlink(missing_ok=True)
    _remove_short_sockets(engines.folder)
    logger.info("engines.stopped")


@contextmanager
def sole_server(folder: Path) -> Iterator[None]:
    """Only one server per data folder. Raises: EngineError when another one runs here; it is not disturbed."""
    _make_folder(folder)
    lock = _opened(folder / "server.lock")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            other = os.pread(lock, 32, 0).decode(errors="replace").strip() or "?"
            raise errors.EngineError(
                f"A Jorge server (process {other}) already works on this data folder.",
                where=str(folder),
                hint="Use that one, stop it first, or choose another folder with JORGE_DATA_DIR.",
            ) from fault
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def _start(engines: Engines, *, with_postgres: bool, with_valkey: bool) -> None:
    folder, durable = engines.folder, engines.durable
    sockets = _socket_folder(folder)
    if with_postgres:
        log = _log(folder, "postgres.log")
        engines.postgres = postgres.start(folder / "postgres", sockets=sockets, log=log, durable=durable)
    if with_valkey:
        log = _log(folder, "valkey.log")
        engines.valkey = valkey.start(folder / "valkey", sockets=sockets, log=log, durable=durable)
    _note(engines)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise errors.EngineError(
            f"The data folder can't be made: {fault.strerror}.",
            where=str(folder),
            hint="Choose another one with JORGE_DATA_DIR, or free the name.",
        ) from fault


def _log(folder: Path, name: str) -> Path:
    """The engines' log; started afresh when it has grown past 10 MB (the old one is kept once)."""
    process.own(folder / "logs")
    log = folder / "logs" / name
    if log.exists() and log.stat().st_size > 10_000_000:
        log.replace(log.with_suffix(".old.log"))
    return log


def _socket_folder(folder: Path) -> Path:
    """A private folder with a short path (a socket's path has at most 103 characters)."""
    inside = folder / "run"
    if len(str(inside)) <= _LONGEST_SOCKET_FOLDER:
        process.own(inside)
        return inside
    short = _short_socket_folder(folder)
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    account = process.engine_account()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {
        os.geteuid(),
        account.pw_uid if account else 0,
    }:
        raise errors.EngineError(
            "The folder for the engines' sockets belongs to somebody else.",
            where=str(short),
            hint="Remove it, or choose a shorter JORGE_DATA_DIR.",
        )
    process.own(short)
    return short


def _short_socket_folder(folder: Path) -> Path:
    name = f"jorge-{os.geteuid()}-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    places = [Path(tempfile.gettempdir()) / name, Path("/tmp") / name]
    return next((place for place in places if len(str(place)) <= _LONGEST_SOCKET_FOLDER), places[-1])


def _remove_short_sockets(folder: Path) -> None:
    shutil.rmtree(_short_socket_folder(folder), ignore_errors=True)


def _note(engines: Engines) -> None:
    """engines.json: urls and pids, for people and scripts; the programs themselves trust locks and pid files."""
    note = {
        "database_url": engines.database_url(),
        "redis_url": engines.redis_url(),
        "postgres_pid": engines.postgres.pid if engines.postgres else None,
        "valkey_pid": engines.valkey.pid if engines.valkey else None,
    }
    half = engines.folder / "engines.json.new"
    half.write_text(json.dumps(note, indent=1) + "\n")
    half.chmod(0o600)
    half.replace(engines.folder / "engines.json")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Starting and stopping happen one at a time."""
    lock = _opened(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _opened(lock: Path) -> int:
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise errors.EngineError(
            f"The data folder can't be written: {fault.strerror}.",
            where=str(lock),
            hint="Give this user the right to write there, or choose another JORGE_DATA_DIR.",
        ) from fault


def _shared_lock(path: Path) -> int:
    lock = _opened(path)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _nobody_else(share: int) -> bool:
    try:
        fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
