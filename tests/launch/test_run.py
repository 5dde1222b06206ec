"""`make run`'s program, whole: an empty folder becomes a brokerage, stops cleanly, and goes on with the same data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("launch")]


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@dataclass
class Run:
    process: subprocess.Popen[str]
    app: str
    server: str
    said: str


@contextmanager
def running(data: Path, *words: str) -> Iterator[Run]:
    """The launcher, until it says that it is ready; interrupted as by Ctrl-C at the end."""
    app_port, server_port = free_ports(2)
    environment = {
        **os.environ,
        "JORGE_DATA_DIR": str(data),
        "JORGE_APP_PORT": str(app_port),
        "JORGE_SERVER_PORT": str(server_port),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "launch", "--no-browser", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl-C stops it" in line:
                break
        yield Run(process, f"http://127.0.0.1:{app_port}", f"http://127.0.0.1:{server_port}", said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def login(server: str, email: str, password: str) -> httpx.Response:
    return httpx.post(f"{server}/api/auth/login", data={"username": email, "password": password}, timeout=30)


def test_an_empty_folder_becomes_the_demo_stops_cleanly_and_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"

    with running(data) as first:
        assert "agent1@demo.example" in first.said
        assert login(first.server, "agent1@demo.example", "demo").status_code == 200
        assert "Jorge BI" in httpx.get(first.app, timeout=30).text
    assert first.process.returncode == 0
    begun = time.monotonic()
    with running(data) as second:
        warm = time.monotonic() - begun
        assert login(second.server, "manager@demo.example", "demo").status_code == 200

    assert "Inventing" not in second.said, "the demo was made twice"
    assert warm < 60


def test_own_files_are_imported_and_the_first_admin_can_sign_in(tmp_path: Path) -> None:
    leads = tmp_path / "contacts.csv"
    leads.write_text(
        "Contact Id,First Name,Last Name,Phone,Email,Created,Last Activity,Tags\n"
        "c1,Ada,Byron,+1 206 555 0142,ada@example.com,Nov 01 2026 09:00 AM,Nov 02 2026 09:00 AM,seller\n"
    )

    with running(tmp_path / "data", "--leads", str(leads)) as run:
        email, password = (tmp_path / "data" / "first-login.txt").read_text().split()
        answer = login(run.server, email, password)

    assert answer.status_code == 200, run.said
    assert answer.json()["user"]["locations"], "the admin sees no location"


def test_a_port_in_use_is_said_in_one_sentence_and_nothing_is_left_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "launch", "--no-browser"],
            cwd=ROOT,
            env={**os.environ, "JORGE_DATA_DIR": str(tmp_path / "data"), "JORGE_APP_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
