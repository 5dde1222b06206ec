"""Programs of ours that run beside us: started detached, found again by pid, stopped politely, then firmly."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from domain import errors

ENGINE_USER = "jorge-engines"
_READ_ONLY = "-all,+dac_read_search"


def runs_as_root() -> bool:
    return os.geteuid() == 0


def engine_account() -> pwd.struct_passwd | None:
    """Who the engines run as: PostgreSQL refuses to be root, so root lends it an account of its own."""
    if not runs_as_root():
        return None
    return _account(ENGINE_USER) or _made_account() or pwd.getpwnam("nobody")


def own(folder: Path) -> None:
    """Make `folder` private to whoever the engines run as."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = engine_account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)


def as_engine(command: Sequence[str]) -> list[str]:
    """`command`, run as the engines' account. As root it may still read below closed folders (/root, /tmp/x).

    Raises: EngineError when root can't lend its place.
    """
    account = engine_account()
    if account is None:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise errors.EngineError(
            "PostgreSQL does not run as root, and the program setpriv is missing to run it as somebody else.",
            where="root",
            hint="Start Jorge as an ordinary user, or install util-linux.",
        )
    return [
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        f"--inh-caps={_READ_ONLY}",
        f"--ambient-caps={_READ_ONLY}",
        *command,
    ]


def spawn(command: Sequence[str], *, log: Path) -> int:
    """Start `command` in a session of its own (Ctrl-C does not reach it), writing to `log`; its pid."""
    full = as_engine(command)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(full[0], full, _environment(), file_actions=actions, setsid=True)


def run(command: Sequence[str]) -> str:
    """Run `command` to its end. Raises: EngineError with its last words."""
    done = subprocess.run(as_engine(command), capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise errors.EngineError(
            f"{Path(command[0]).name} failed: {_last_lines(done.stderr or done.stdout)}",
            where=str(command[0]),
            hint="Is the disk full, or the data folder read-only?",
        )
    return done.stdout


def alive(pid: int) -> bool:
    """True while `pid` runs; a child of ours that has ended is buried first."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def command_line(pid: int) -> str:
    """How `pid` was started; empty when it is gone."""
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def stop(pid: int, *, politely: signal.Signals, patience: float = 8.0) -> None:
    """Ask `pid` to stop, wait, and end it by force only when it does not."""
    for request, seconds in ((politely, patience), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, request)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds):
            return


def wait_until(done: Callable[[], bool], seconds: float, *, pause: float = 0.02) -> bool:
    """Poll `done`; False when `seconds` passed first."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def tail(log: Path, lines: int = 4) -> str:
    """The last lines of a log, for an error message."""
    try:
        return _last_lines(log.read_text(errors="replace"), lines)
    except OSError:
        return "(no log)"


def _last_lines(text: str, lines: int = 4) -> str:
    return " | ".join(text.strip().splitlines()[-lines:])


def _environment() -> Mapping[str, str]:
    keep = {k: os.environ[k] for k in ("PATH", "TMPDIR", "HOME") if k in os.environ}
    return {**keep, "LC_ALL": "C", "TZ": "UTC"}


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made_account() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ENGINE_USER]
    subprocess.run(command, capture_output=True, check=False)
    return _account(ENGINE_USER)
