"""How far the feed is behind eight writers, and whether a reader misses a row.

The writers are devices in a process of their own, each pushing five changes at a time without pause: rows that they make, and rows
of each other that they change. The reader is a device, too: poked by the socket, it pulls as fast as it can. A row's lag is
the time from its commit (PostgreSQL's commit timestamp) to its arrival in the reader's hands, all of it on one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import asyncpg

from benchmarks import _machine, _raw, _server
from domain import ids, values, wire

WRITERS = 8
_AT_ONCE = 5
_PULL = "/api/sync/pull?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """`p50`, `p95` in milliseconds; `pushes` a second of all writers; `missed` rows or versions."""

    p50: float
    p95: float
    changes: int
    pushes: float
    missed: int


@dataclass(slots=True, kw_only=True)
class Reader:
    """What came, and when: the newest version by row, the moment of each (row, version)."""

    http: _raw.Http
    versions: dict[str, int] = field(default_factory=dict)
    came: dict[tuple[str, int], float] = field(default_factory=dict)
    cursor: str = ""

    async def catch_up(self) -> None:
        more = True
        while more:
            answer = await self.http.ask(
                "GET", _PULL + urlencode({"cursor": self.cursor, "limit": wire.MAX_PAGE})
            )
            if answer.status not in (200, 204):
                raise SystemExit(f"the reader was refused: {answer.status} {answer.body[:200]!r}")
            page = answer.page
            if page is None:
                return
            now = time.time()
            for block in page.blocks:
                for row in block.rows:
                    self.versions[row[0]] = max(row[1], self.versions.get(row[0], 0))
                    self.came.setdefault((row[0], row[1]), now)
            self.cursor, more = page.cursor, page.more

    async def follow(self, socket: _raw.Socket) -> None:
        while True:
            await socket.message()
            await self.catch_up()


async def measured(server: _server.Server, token: str, *, seconds: float) -> Lag:
    """Raises: SystemExit when writers or reader failed."""
    reader = Reader(http=_raw.Http(port=server.port, token=token, headers={wire.DEVICE_HEADER: ids.new_id()}))
    await reader.catch_up()
    began = time.time()
    socket = await _raw.Socket.connect(server.port, token)
    following = asyncio.create_task(reader.follow(socket))
    pushes = await _written(server, token, seconds)
    await asyncio.sleep(1.0)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    socket.close()
    reader.http.close()
    return await _judged(server, reader, began, pushes, seconds)


async def _written(server: _server.Server, token: str, seconds: float) -> int:
    """How many pushes went through."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks._feed",
        str(server.port),
        token,
        server.database_url,
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise SystemExit("the writers failed")
    return int(said)


async def _judged(server: _server.Server, reader: Reader, began: float, pushes: int, seconds: float) -> Lag:
    """Against the log of PostgreSQL itself: the newest version of each written row must have come."""
    connection = await asyncpg.connect(server.database_url)
    lines = await connection.fetch(
        "SELECT row_id::text, ver, extract(epoch FROM pg_xact_commit_timestamp(xid::xid))::float8 AS at FROM change_log"
        " WHERE at > to_timestamp($1) AND tbl = 'leads'",
        began,
    )
    await connection.close()
    newest: dict[str, int] = {}
    for line in lines:
        newest[line["row_id"]] = max(line["ver"], newest.get(line["row_id"], 0))
    missed = sum(reader.versions.get(row_id, 0) < ver for row_id, ver in newest.items())
    lags = [
        1000 * (reader.came[key] - line["at"])
        for line in lines
        if (key := (line["row_id"], line["ver"])) in reader.came
    ]
    return Lag(
        p50=statistics.median(lags),
        p95=_machine.p(lags, 95),
        changes=len(lines),
        pushes=pushes / seconds,
        missed=missed,
    )


@dataclass(slots=True, kw_only=True)
class Writer:
    """A device that makes leads and changes those of the others."""

    http: _raw.Http
    location_id: str
    shared: list[str]
    until: float
    rng: random.Random
    device_id: str = field(default_factory=ids.new_id)
    mid: int = 0

    async def work(self) -> int:
        done = 0
        while time.monotonic() < self.until:
            push = wire.Push(
                device_id=self.device_id,
                epoch=self.device_id,
                mutations=[self._mutation() for _ in range(_AT_ONCE)],
            )
            answer = await self.http.ask("POST", "/api/sync/push", json.dumps(push.as_json()).encode())
            if answer.status != 200:
                raise SystemExit(f"a writer was refused: {answer.status} {answer.body[:200]!r}")
            done += 1
        self.http.close()
        return done

    def _mutation(self) -> wire.Mutation:
        self.mid += 1
        fresh = self.rng.random() < 0.7 or len(self.shared) < 100
        row_id = ids.new_id() if fresh else self.rng.choice(self.shared[:-50])
        if fresh:
            self.shared.append(row_id)
        return wire.Mutation(
            mid=self.mid,
            group="",
            table="leads",
            row_id=row_id,
            op=wire.Op.PUT if fresh else wire.Op.PATCH,
            patch=self._lead() if fresh else {"motivation": f"said {self.mid}"},
            base_ver=0 if fresh else 1_000_000,
            base={},
            edit_ms=round(time.time() * 1000),
            seen_server_ms=0,
        )

    def _lead(self) -> dict[str, str]:
        return {
            "location_id": self.location_id,
            "created_at": values.time_text(values.parse_time("2026-11-22T12:00:00.000Z")),
            "kind": "seller",
            "name": f"Lead {self.mid}",
            "stage": "new",
        }


async def _write(port: int, token: str, database_url: str, seconds: float) -> int:
    connection = await asyncpg.connect(database_url)
    location = str(await connection.fetchval("SELECT id FROM locations WHERE name = $1", _server.LOCATION))
    await connection.close()
    shared: list[str] = []
    until = time.monotonic() + seconds
    writers = [
        Writer(
            http=_raw.Http(port=port, token=token),
            location_id=location,
            shared=shared,
            until=until,
            rng=random.Random(n),
        )
        for n in range(WRITERS)
    ]
    return sum(await asyncio.gather(*(writer.work() for writer in writers)))


if __name__ == "__main__":
    print(asyncio.run(_write(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))))
