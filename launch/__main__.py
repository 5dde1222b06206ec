"""`make run`: server, first data, app, browser; Ctrl-C stops all of it cleanly."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import webbrowser
from types import FrameType

from domain import errors
from launch import first_data, processes
from launch import settings as settings_module


def say(text: str) -> None:
    """Words for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m launch", description=__doc__)
    parser.add_argument("--leads", help="CSV export of leads (GoHighLevel, Follow Up Boss, HubSpot)")
    parser.add_argument("--sales", help="CSV of closed sales (King County's columns or an MLS export)")
    parser.add_argument("--no-browser", action="store_true")
    words = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job starts with SIGINT ignored
        signal.signal(number, _as_interrupt)
    children: list[processes.Child] = []
    try:
        settings = settings_module.read(
            os.environ, leads=words.leads, sales=words.sales, browser=not words.no_browser
        )
        _start(settings, children)
        _watch(children)
    except KeyboardInterrupt:
        say("\nStopping ...")
    except errors.StartError as fault:
        say(f"\n{fault}")
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut the clean stop short
        processes.stop(children)
    say("Stopped. Everything is kept; `make run` goes on from here.")
    return 0


def _start(settings: settings_module.Settings, children: list[processes.Child]) -> None:
    begun = time.monotonic()
    processes.check_port(settings.server_port, "JORGE_SERVER_PORT")
    processes.check_port(settings.app_port, "JORGE_APP_PORT")
    first_data.set_demo_aside(settings, say)
    settings.data.mkdir(parents=True, exist_ok=True)
    say(f"Starting Jorge BI on the data in {settings.data} ...")
    server = processes.start("server", ["-m", "backend", "serve"], settings)
    children.append(server)
    app = processes.start("app", ["main.py", "--web"], settings)
    children.append(app)
    processes.wait_until_answers(server, f"{settings.server_url}/ready")
    first_data.fill(settings, say)
    processes.wait_until_answers(app, settings.app_url)
    say(f"\nJorge BI is ready ({time.monotonic() - begun:.0f} s):  {settings.app_url}")
    say(f"\n{first_data.logins(settings)}\n\nServer {settings.server_url} · logs in {settings.data / 'logs'}")
    say("Ctrl-C stops it.")
    if settings.browser:
        _open_browser(settings.app_url)


def _open_browser(url: str) -> None:
    shown = (
        sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if shown and not os.environ.get("CI"):
        webbrowser.open(url)


def _watch(children: list[processes.Child]) -> None:
    while True:
        for child in children:
            child.check()
        time.sleep(0.5)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
