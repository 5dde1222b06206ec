"""Programs are started, watched and stopped; a port in use and a program that dies are named."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from domain import errors
from launch import processes, settings


@pytest.fixture
def told(tmp_path: Path) -> settings.Settings:
    return settings.Settings(data=tmp_path, app_port=1, server_port=2)


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_in_use_is_named_with_the_way_out(listening: int) -> None:
    with pytest.raises(errors.PortTakenError, match=rf"Port {listening} is in use.*JORGE_APP_PORT"):
        processes.check_port(listening, "JORGE_APP_PORT")


def test_a_program_that_dies_is_reported_with_its_last_words(told: settings.Settings) -> None:
    child = processes.start("server", ["-c", "raise SystemExit('disk on fire')"], told)
    child.process.wait(10)

    with pytest.raises(errors.StartError, match="disk on fire"):
        child.check()


def test_a_program_is_asked_to_stop_and_does(told: settings.Settings) -> None:
    child = processes.start("app", ["-c", "import time; time.sleep(60)"], told)

    begun = time.monotonic()
    processes.stop([child])

    assert child.process.returncode is not None
    assert time.monotonic() - begun < processes.STOP_SECONDS


def test_waiting_ends_when_the_program_answers(told: settings.Settings) -> None:
    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.handle_request, daemon=True).start()
        child = processes.start("server", ["-c", "import time; time.sleep(60)"], told)
        processes.wait_until_answers(child, f"http://127.0.0.1:{server.server_port}/ready", seconds=10)
        processes.stop([child])


def test_a_command_that_fails_stops_the_start(told: settings.Settings) -> None:
    with pytest.raises(errors.StartError, match="exit code 3"):
        processes.run(["-c", "raise SystemExit(3)"], told)


def test_the_python_that_started_us_runs_the_programs(told: settings.Settings) -> None:
    child = processes.start("server", ["-c", "import sys; print(sys.executable)"], told)
    child.process.wait(10)

    assert sys.executable in child.log.read_text()
