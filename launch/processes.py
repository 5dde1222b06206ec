"""Our two programs as child processes: started, watched, and stopped together."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain import errors
from launch import settings as settings_module

STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running program and where it writes what it has to say."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises: StartError when it has ended by itself."""
        code = self.process.poll()
        if code is not None:
            raise errors.StartError(
                f"The {self.name} stopped (exit code {code}).\n{_last_lines(self.log)}",
                where=str(self.log),
                hint="The lines above say why; the log has more.",
            )


def check_port(port: int, name: str) -> None:
    """Raises: PortTakenError when somebody listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise errors.PortTakenError(
                f"Port {port} is in use by another program.",
                where=name,
                hint=f"Stop that program, or choose another port: {name}={port + 1} make run",
            ) from fault


def start(name: str, arguments: Sequence[str], settings: settings_module.Settings) -> Child:
    """Starts a program of ours in a session of its own: Ctrl-C reaches us, and we stop it in order."""
    log = settings.data / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=settings.environment,
            start_new_session=True,
        )
    return Child(name=name, process=process, log=log)


def run(arguments: Sequence[str], settings: settings_module.Settings, **extra: str) -> None:
    """Runs a command of the server to its end, its output in front of the person. Raises: StartError."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**settings.environment, **extra},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise errors.StartError(
            f"`python {' '.join(arguments)}` did not succeed (exit code {done.returncode}).",
            hint="What it printed above says why.",
        )


def wait_until_answers(child: Child, url: str, *, seconds: float = 90.0) -> None:
    """Raises: StartError when the program ends, or does not answer in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        child.check()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise errors.StartError(
        f"The {child.name} did not answer at {url} within {seconds:.0f} s.", where=str(child.log)
    )


def stop(children: Sequence[Child]) -> None:
    """Asks each to stop, the last started first; one that does not is ended."""
    for child in reversed(children):
        if child.process.poll() is not None:
            continue
        child.process.send_signal(signal.SIGTERM)
        try:
            child.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def _last_lines(log: Path, count: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""
