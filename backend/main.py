"""The server's commands: serve, migrate, import-leads, import-sales, create-user, demo."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from backend import app, deps, embedded, logs, server, settings
from backend.actor import Role
from backend.services import demo, imports, users
from backend.storage import pool
from domain import errors

logger = logging.getLogger(__name__)

Command = Callable[[settings.Settings, argparse.Namespace], Coroutine[Any, Any, None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, else a line on stderr that says what to do."""
    options = _parser().parse_args(arguments)
    try:
        chosen = settings.from_environment()
        logs.configure(_log_level(chosen, options))
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(options.command(chosen, options))
    except errors.JorgeError as fault:
        print(f"jorge: {fault}", file=sys.stderr)
        return 2 if isinstance(fault, errors.SettingsError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(chosen: settings.Settings, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        stack.enter_context(embedded.sole_server(chosen.server_dir))
        listening = stack.enter_context(contextlib.closing(server.listen(chosen.host, chosen.port)))
        async with deps.open_deps(chosen) as opened:
            host, port = listening.getsockname()[:2]
            print(f"Jorge's server listens on http://{host}:{port}", file=sys.stderr, flush=True)
            await server.serve(app.create_app(opened), listening, stop)
    logger.info("server.stopped")


async def _migrate(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen):
        print("The database is up to date.")


async def _create_user(chosen: settings.Settings, options: argparse.Namespace) -> None:
    password = os.environ.get("JORGE_PASSWORD") or getpass.getpass(f"Password for {options.email}: ")
    async with deps.open_deps(chosen) as opened:
        if options.zone:
            async with pool.transaction(opened.pool) as connection:
                for name in options.location:
                    await users.ensure_location(connection, name=name, state=options.state, zone=options.zone)
        made = await users.create(
            opened,
            email=options.email,
            name=options.name,
            role=Role(options.role),
            password=password,
            locations=options.location,
        )
    print(f"Made the {made.role} {made.name} <{made.email}>.")


async def _import_leads(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await imports.run_import_leads(opened, options.file, options.location, _progress)


async def _import_sales(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await imports.run_import_sales(opened, options.file, options.location, _progress)


async def _demo(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await demo.run_demo(opened, _progress)


def _log_level(chosen: settings.Settings, options: argparse.Namespace) -> str:
    """A server tells what it does; the other commands speak to a person, unless LOG_LEVEL asks for more."""
    asked = "log_level" in chosen.model_fields_set
    return chosen.log_level if asked or options.command is _serve else "WARNING"


def _progress(line: object) -> None:
    print(line, file=sys.stderr, flush=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backend", description="Jorge's server; docs/settings.md lists its settings."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _command(commands, "serve", _serve, "run the server until Ctrl-C")
    _command(commands, "migrate", _migrate, "bring the database to this release's tables")
    _command(commands, "demo", _demo, "fill an empty database with an invented brokerage")
    leads = _command(commands, "import-leads", _import_leads, "read leads from a CSV export")
    leads.add_argument("file", type=Path)
    leads.add_argument("--location", help="the office they belong to, where the file does not say")
    sales = _command(commands, "import-sales", _import_sales, "read closed sales from a CSV file")
    sales.add_argument("file", type=Path)
    sales.add_argument("--location", help="the office they belong to, where the file does not say")
    user = _command(
        commands, "create-user", _create_user, "make a user; the password is asked for, or JORGE_PASSWORD"
    )
    user.add_argument("--email", required=True)
    user.add_argument("--name", required=True)
    user.add_argument("--role", required=True, choices=[role.value for role in Role])
    user.add_argument("--location", action="append", default=[], help="office they may see; may be repeated")
    user.add_argument("--zone", help="makes the office if it is new; such as America/Los_Angeles")
    user.add_argument("--state", default="", help="its state, such as CA")
    return parser


def _command(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    made.set_defaults(command=run)
    return made
