"""The server's commands: serve, migrate, import-leads, import-sales, create-user, change-user, create-source, demo, renew-incarnation, verify-audit, rebuild-aggregates, make-partitions."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from backend import deps, logs, processes, serving, settings, user_commands
from backend.services import audit_proof, demo, imports, restore, sources, warehouse
from domain import errors

Command = Callable[[settings.Settings, argparse.Namespace], Coroutine[Any, Any, None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, else a line on stderr that says what to do."""
    options = parser().parse_args(arguments)
    try:
        chosen = settings.from_environment()
        logs.configure(_log_level(chosen, options), process=_process(options))
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_stopped(options.command(chosen, options)))
    except errors.JorgeError as fault:
        print(f"jorge: {fault}", file=sys.stderr)
        return 2 if isinstance(fault, errors.SettingsError) else 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("jorge: Stopped. What was stored stays; run it again to go on.", file=sys.stderr)
        return 130
    return 0


async def _until_stopped(command: Coroutine[Any, Any, None]) -> None:
    """SIGTERM ends a command as Ctrl-C does: what it has open is closed, and engines are not left behind."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await command


async def _serve(chosen: settings.Settings, options: argparse.Namespace) -> None:
    await serving.serve(
        chosen,
        serving.Asked(
            role=options.role or "",
            name=options.name or "",
            processes=options.processes,
            api=options.api,
            tied=options.tied,
            listening=options.listening,
        ),
    )


async def _verify_audit(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        report = await audit_proof.verify(opened.pool, chosen.server_dir, _counted)
    for fault in report.faults:
        print(f"{fault.kind}: chain {fault.chain}, row {fault.seq}: {fault.message}")
    print(
        f"{report.rows:,} rows and {report.heads:,} signed heads checked, {report.rows_per_second:,} rows/s."
    )
    if report.faults:
        raise errors.JorgeError(
            f"The audit log is not as it was written: {len(report.faults)} fault(s).",
            where="audit_log",
            hint="Keep the database and the data folder as they are, and look at who could write to them.",
        )


def _counted(rows: int) -> None:
    _progress(f"{rows:,} rows")


async def _migrate(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen):
        print("The database is up to date.")


async def _renew_incarnation(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        made = await restore.renew(opened.pool)
    print(
        f"This is a new incarnation: {made}. Devices compare what they have, and send again what may be missing."
    )


async def _rebuild_aggregates(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await warehouse.rebuild_aggregates(
            opened, first=options.first, last=options.last, check=options.check, told=print
        )


async def _make_partitions(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        print(f"Made {await warehouse.make_partitions(opened)} partitions.")


async def _create_source(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        made, key = await sources.create(
            opened, name=options.name, locations=options.location, streams=options.stream
        )
    print(f"Made the source {made.name}. Its key is shown this once:\n{key}")
    print(f"Send events with it (KEY=… is that line; docs/events.md shows them):\n{_curl(chosen)}")
    print(
        f"Webhooks: /api/webhooks/gohighlevel/{made.id}, own ones signed with the secret\n{made.webhook_secret}"
    )


def _curl(chosen: settings.Settings) -> str:
    """The key is not repeated, so that a script may look for it."""
    headers = '-H "X-API-Key: $KEY" -H "Content-Type: application/json"'
    return f"curl {headers} -d @event.json http://127.0.0.1:{chosen.port}/api/events"


async def _import_leads(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await imports.run_import_leads(opened, options.file, options.location, _progress)


async def _import_sales(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await imports.run_import_sales(opened, options.file, options.location, _progress)


async def _demo(chosen: settings.Settings, options: argparse.Namespace) -> None:
    async with deps.open_deps(chosen) as opened:
        await demo.run_demo(opened, _progress)


def _process(options: argparse.Namespace) -> str:
    """How this process is called, where there are several."""
    if options.command is not _serve:
        return ""
    return "supervisor" if options.processes else options.name or options.role or ""


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


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    made = argparse.ArgumentParser(
        prog="python -m backend", description="Jorge's server; docs/server.md describes its commands."
    )
    commands = made.add_subparsers(required=True, metavar="command")
    _takes_processes(commands.add_parser("serve", help="run the server until Ctrl-C"))
    verify = commands.add_parser("verify-audit", help="prove that the audit log is as it was written")
    verify.set_defaults(command=_verify_audit)
    migrate = commands.add_parser("migrate", help="bring the database to this release's tables")
    migrate.set_defaults(command=_migrate)
    renew = commands.add_parser("renew-incarnation", help="after the data was set back to an earlier copy")
    renew.set_defaults(command=_renew_incarnation)
    _takes_days(
        commands.add_parser("rebuild-aggregates", help="prove that the aggregates are the sum of the facts")
    )
    months = commands.add_parser("make-partitions", help="make the warehouse's months ahead")
    months.set_defaults(command=_make_partitions)
    invented = commands.add_parser("demo", help="fill an empty database with an invented brokerage")
    invented.set_defaults(command=_demo)
    leads = commands.add_parser("import-leads", help="read leads from a CSV export")
    _takes_file(leads, _import_leads)
    sales = commands.add_parser("import-sales", help="read closed sales from a CSV file")
    _takes_file(sales, _import_sales)
    user_commands.takes_new(commands.add_parser("create-user", help="make a user who can sign in"))
    user_commands.takes_change(
        commands.add_parser("change-user", help="disable, enable, or change role, offices or password")
    )
    _takes_source(commands.add_parser("create-source", help="make a key for a program that sends events"))
    return made


def _takes_days(parser: argparse.ArgumentParser) -> None:
    parser.description = "Count the facts anew, and put right what differs. Traffic may go on."
    parser.set_defaults(command=_rebuild_aggregates)
    parser.add_argument(
        "--from", dest="first", type=date.fromisoformat, metavar="DAY", help="such as 2026-11-01"
    )
    parser.add_argument(
        "--to", dest="last", type=date.fromisoformat, metavar="DAY", help="the last day looked at"
    )
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when something differs")


def _takes_file(parser: argparse.ArgumentParser, run: Command) -> None:
    parser.set_defaults(command=run)
    parser.add_argument("file", type=Path)
    parser.add_argument("--location", help="the office they belong to, where the file does not say")


def _takes_processes(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_serve)
    parser.add_argument("--processes", action="store_true", help="api, processor and sink each in a process")
    parser.add_argument(
        "--api", type=_few, default=1, metavar="N", help="with --processes: so many api workers"
    )
    parser.add_argument("--role", choices=processes.ROLES, help="only this part; for systemd and containers")
    for hidden, kind in (("--name", str), ("--listening", int)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--tied", action="store_true", help=argparse.SUPPRESS)


def _few(said: str) -> int:
    number = int(said)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("1 to 64")
    return number


def _takes_source(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make a source of events. Its key is printed once."
    parser.set_defaults(command=_create_source)
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--location",
        action="append",
        default=[],
        help="office it may send for; may be repeated, none: every one",
    )
    parser.add_argument(
        "--stream", action="append", default=[], help="stream it may send to; may be repeated, none: all four"
    )
