"""Sync against the targets of issue 3: `python -m benchmarks.sync [--quick] [--rows N] [--slow] [--idle S] [--reconnect 500] [--peer]`.

The server is a process of its own with its own PostgreSQL and Valkey; every byte goes through a counting proxy, a process
of its own too. So client CPU is this process's, server CPU that of our server, PostgreSQL and Valkey together.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import _device, _line, _machine, _peer, _reconnect, _server, _steps, _table
from benchmarks._device import Spent
from benchmarks._steps import EDITS, ROWS, Run
from sync import client, login

QUICK_ROWS, QUICK_EDITS = 4_000, 400
MORE_PULLS = 2
OFFICES, OFFICE_ROWS = 25, 2_000


def main() -> None:
    chosen = arguments()
    print(f"{_machine.machine()}")
    if chosen.reconnect:
        reconnected(chosen)
        return
    rows = chosen.rows or (QUICK_ROWS if chosen.quick else ROWS)
    edits = chosen.edits or (QUICK_EDITS if chosen.quick else EDITS)
    peer = by_peer(rows, edits, slow=chosen.slow) if chosen.peer else {}
    with served(rows) as (server, folder, data):
        print(f"{rows:,} leads of {data / rows:.0f} bytes of JSON, {edits:,} edits")
        run = Run(server=server, folder=folder, rows=rows, edits=edits, data=data, peer=peer)
        try:
            asyncio.run(measured(run, chosen))
        finally:
            _table.show(run.figures, peer=_peer.NAME if peer else "")
            print(f"{_machine.load()} at the end")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} leads and {QUICK_EDITS} edits")
    parser.add_argument("--rows", type=int, help=f"leads; {ROWS:,} unless told")
    parser.add_argument("--edits", type=int, help=f"offline edits; {EDITS:,} unless told")
    parser.add_argument(
        "--slow", action="store_true", help="also over 200 ms, 2 Mbit/s down, 0.5 up (a minute)"
    )
    parser.add_argument(
        "--idle",
        type=float,
        default=0.0,
        help="also what a device costs that does nothing, for so many seconds",
    )
    parser.add_argument(
        "--peer", action="store_true", help="also PouchDB (`make bench-sync-peer` installs it)"
    )
    parser.add_argument(
        "--reconnect", type=int, default=0, help="only this: so many devices come back within a second"
    )
    parser.add_argument(
        "--offices", type=int, default=OFFICES, help=f"offices of those devices; {OFFICES} unless told"
    )
    return parser.parse_args()


@contextmanager
def served(rows: int, *, offices: int = 1) -> Iterator[tuple[_server.Server, Path, int]]:
    """A server with leads, a folder for devices, bytes of the leads' JSON."""
    with (
        tempfile.TemporaryDirectory(prefix="jorge-bench-") as folder,
        _server.serving(Path(folder) / "server") as server,
    ):
        yield server, Path(folder), _server.fill(server, rows, offices=offices)


async def measured(run: Run, chosen: argparse.Namespace) -> None:
    with _line.line_to(run.server.port) as one, _line.line_to(run.server.port) as other:
        before = [await _pulled(run, one, f"before{n}") for n in range(0 if chosen.quick else MORE_PULLS)]
        async with _device.opened(run.server, one, run.folder / "one") as device:
            await _steps.first_pull(run, device, before)
            _steps.local_edits(run, device)
            await _steps.push(run, device)
            await _steps.next_sync(run, device)
            async with _device.opened(run.server, other, run.folder / "two") as second:
                await second.run()
                await _steps.one_row(run, device, second)
            await _steps.feed(run, device, 2.0 if chosen.quick else 5.0)
            if chosen.idle:
                await _steps.idle(run, device, chosen.idle)
    if chosen.slow:
        await _steps.slow_line(run)


async def _pulled(run: Run, line: _line.Line, name: str) -> Spent:
    async with _device.opened(run.server, line, run.folder / name) as device:
        return (await _steps.pulled(run, device))[0]


def by_peer(rows: int, edits: int, *, slow: bool) -> Mapping[str, float]:
    """The same work by PouchDB, before ours, so that neither disturbs the other. Raises: SystemExit."""
    packages = _peer.folder()
    _peer.install(packages)
    with tempfile.TemporaryDirectory(prefix="jorge-bench-peer-") as folder:
        found = _peer.measured(packages, Path(folder) / "fast", rows, edits)
        if slow:
            found |= _peer.over_slow_line(packages, Path(folder) / "slow", rows, edits)
    return found


def reconnected(chosen: argparse.Namespace) -> None:
    rows = chosen.rows or OFFICE_ROWS
    print(
        f"{chosen.reconnect} devices of {chosen.offices} offices with {rows:,} leads each come back within one second"
    )
    with served(rows, offices=chosen.offices) as (server, _folder, _data):
        outcome, spent, rss_mb = asyncio.run(_crowd(server, chosen))
    print(outcome.lines(spent, rss_mb))


async def _crowd(
    server: _server.Server, chosen: argparse.Namespace
) -> tuple[_reconnect.Outcome, list[float], float]:
    async with client.open_http(server.url) as http:
        door = login.Login(http=http)
        grants = [await door.login(_server.EMAIL.format(n), _server.PASSWORD) for n in range(chosen.offices)]
    return await _reconnect.measured(server, [grant.access_token for grant in grants], chosen.reconnect)


if __name__ == "__main__":
    main()
