"""What an empty data folder gets: the demo, or the person's own files. The two never mix."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from launch import processes
from launch import settings as settings_module

FIRST_ADMIN = "admin@jorge.local"
MARK = "holds.json"

Say = Callable[[str], None]


def holds(data: Path) -> str:
    """`demo`, `real`, or "" for a folder that holds nothing yet."""
    mark = data / MARK
    return str(json.loads(mark.read_text())["holds"]) if mark.exists() else ""


def set_demo_aside(settings: settings_module.Settings, say: Say) -> None:
    """Own files asked for in a folder that holds the demo: the demo is moved away, not deleted."""
    if (settings.leads or settings.sales) and holds(settings.data) == "demo":
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        aside = settings.data.with_name(f"{settings.data.name}-demo-{stamp}")
        settings.data.rename(aside)
        say(f"The demo was set aside in {aside}; your own data starts in an empty {settings.data.name}.")


def fill(settings: settings_module.Settings, say: Say) -> None:
    """Brings the data folder, with the server running, to where a person can sign in."""
    if settings.leads or settings.sales:
        _own_files(settings, say)
    elif not holds(settings.data):
        say("Filling the empty data folder with the demo brokerage ...")
        processes.run(["-m", "backend", "demo"], settings)
        _mark(settings.data, "demo")


def _own_files(settings: settings_module.Settings, say: Say) -> None:
    if settings.leads:
        processes.run(["-m", "backend", "import-leads", str(settings.leads)], settings)
    if settings.sales:
        processes.run(["-m", "backend", "import-sales", str(settings.sales)], settings)
    if holds(settings.data) != "real":
        _first_admin(settings)
        _mark(settings.data, "real")
    say(f"The first sign-in is in {settings.data / 'first-login.txt'}.")


def _first_admin(settings: settings_module.Settings) -> None:
    password = secrets.token_urlsafe(12)
    note = settings.data / "first-login.txt"
    note.touch(mode=0o600)
    note.write_text(f"{FIRST_ADMIN}\n{password}\n")
    processes.run(
        ["-m", "backend", "create-user", "--email", FIRST_ADMIN, "--name", "Admin", "--role", "admin"],
        settings,
        JORGE_PASSWORD=password,
    )


def _mark(data: Path, what: str) -> None:
    (data / MARK).write_text(json.dumps({"holds": what}))


def logins(settings: settings_module.Settings) -> str:
    """What a person types to come in."""
    if holds(settings.data) == "demo":
        return (
            "  agents    agent1@demo.example … agent6@demo.example\n"
            "  manager   manager@demo.example\n"
            "  admin     admin@demo.example\n"
            "  password  demo"
        )
    note = settings.data / "first-login.txt"
    if note.exists():
        email, password = note.read_text().split()
        return (
            f"  admin     {email}\n  password  {password}\n"
            '  agents    .venv/bin/python -m backend create-user --role agent --location "Main office"'
            ' --email … --name "…"'
        )
    return "  your own users (python -m backend create-user makes more)"
