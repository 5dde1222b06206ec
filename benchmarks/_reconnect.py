"""Hundreds of devices come back within one second: sockets, pushes of what they wrote, pulls of what they missed, first loads.

The crowd is a process of its own with the least HTTP there is, so that the server's CPU is what is seen. Each device does what the
app does: socket, wait for its first word, push, pull until there is no more. Refused ones (429, 503, closed sockets)
wait as long as they are told, plus full jitter up to 2^n seconds, and try again.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

import asyncpg

from benchmarks import _machine, _raw, _server
from domain import ids, wire

AWAY_ROWS = 40
"""Rows that somebody else changed while they were away."""
EDITS = 3
FIRST_LOADS = 0.1
"""Share of devices that are new and load everything."""
_LONGEST = 120.0
_PAGE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where devices come from: their token, where in the feed they left, the rows they wrote in."""

    token: str
    cursor: str
    leads: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What the crowd is told. Devices are dealt out to the offices one by one."""

    port: int
    count: int
    offices: list[Office]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Milliseconds until a device was up to date, by kind; answers by status; devices that never got there."""

    known: list[float]
    new: list[float]
    statuses: dict[str, int]
    faults: dict[str, int]
    left_behind: int
    seconds: float
    client_cpu: float

    def lines(self, spent: Sequence[float], rss_mb: float) -> str:
        server, postgres, valkey = spent
        total, count = sum(spent), len(self.known) + len(self.new)
        return (
            f"  all up to date after {self.seconds:.1f} s; {self.left_behind} of {count + self.left_behind} never\n"
            f"  known devices ({len(self.known)}): {_percentiles(self.known)}\n"
            f"  new devices ({len(self.new)}), whole first load: {_percentiles(self.new)}\n"
            f"  server CPU {total:.2f} s (ours {server:.2f}, PostgreSQL {postgres:.2f}, Valkey {valkey:.2f})"
            f" = {1000 * total / max(count, 1):.1f} ms a device; our process {rss_mb:.0f} MB\n"
            f"  answers {dict(sorted(self.statuses.items()))}; cut or refused {self.faults}; the crowd's own CPU {self.client_cpu:.1f} s"
        )


def _percentiles(took: Sequence[float]) -> str:
    if len(took) < 2:
        return "-"
    p50, p95, p99 = (_machine.p(took, percent) for percent in (50, 95, 99))
    return f"p50 {p50:,.0f} ms  p95 {p95:,.0f}  p99 {p99:,.0f}  slowest {max(took):,.0f}"


async def measured(
    server: _server.Server, tokens: Sequence[str], count: int
) -> tuple[Outcome, list[float], float]:
    """The outcome, the server's CPU seconds (ours, PostgreSQL, Valkey), its memory in MB. Raises: SystemExit."""
    offices = [await _left(server.port, token) for token in tokens]
    await _change_some(server)
    crowd = Crowd(port=server.port, count=count, offices=offices)
    before = server.cpu()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks._reconnect",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(json.dumps(asdict(crowd)).encode())
    if process.returncode:
        raise SystemExit("the crowd failed")
    spent = [after - earlier for after, earlier in zip(server.cpu(), before, strict=True)]
    return Outcome(**json.loads(said)), spent, server.rss_mb()


async def _left(port: int, token: str) -> Office:
    """An office whose devices know everything up to now."""
    http = _raw.Http(port=port, token=token, headers={wire.DEVICE_HEADER: ids.new_id()})
    cursor, more, leads = "", True, list[str]()
    while more:
        query = urlencode({"cursor": cursor, "limit": wire.MAX_PAGE})
        page = (await http.ask("GET", f"/api/sync/pull?{query}")).page
        if page is None:
            break
        cursor, more = page.cursor, page.more
        leads += [row[0] for block in page.blocks if block.table == "leads" for row in block.rows]
    http.close()
    return Office(token=token, cursor=cursor, leads=random.Random(5).sample(leads, min(500, len(leads))))


async def _change_some(server: _server.Server) -> None:
    connection = await asyncpg.connect(server.database_url)
    await connection.execute(
        "UPDATE leads SET motivation = 'changed while they were away' WHERE id IN (SELECT id FROM ("
        " SELECT id, row_number() OVER (PARTITION BY location_id ORDER BY id) AS n FROM leads) AS l WHERE n <= $1)",
        AWAY_ROWS,
    )
    await connection.close()
    await asyncio.sleep(1.0)


@dataclass(slots=True, kw_only=True)
class Phone:
    """One device of the crowd."""

    port: int
    office: Office
    number: int
    cursor: str
    rng: random.Random
    statuses: Counter[str]
    faults: Counter[str]
    device_id: str = field(default_factory=ids.new_id)
    rows: int = 0
    failures: int = 0
    pushed: bool = False
    known: bool = False

    def __post_init__(self) -> None:
        self.known = bool(self.cursor)

    async def come_back(self) -> float | None:
        """Milliseconds until it is up to date; None when it is not within two minutes."""
        await asyncio.sleep(self.rng.random())
        begun = time.perf_counter()
        while time.perf_counter() - begun < _LONGEST:
            try:
                await self._once()
                return 1000 * (time.perf_counter() - begun)
            except _RefusedError as refused:
                await self._wait(refused.seconds)
            except (OSError, EOFError) as fault:
                self.faults[type(fault).__name__ + (f": {fault}" if "closed" in str(fault) else "")] += 1
                await self._wait(0.0)
        return None

    async def _wait(self, told: float) -> None:
        self.failures += 1
        await asyncio.sleep(told + self.rng.uniform(0, min(300.0, 2.0**self.failures)))

    async def _once(self) -> None:
        headers = {wire.PROTOCOL_HEADER: str(wire.PROTOCOL), wire.DEVICE_HEADER: self.device_id}
        http = _raw.Http(port=self.port, token=self.office.token, headers=headers)
        socket = await _raw.Socket.connect(self.port, self.office.token)
        _OPEN.append(socket)
        try:
            await socket.message()
            if self.known and not self.pushed:
                await self._asked(http, "POST", "/api/sync/push", self._push())
                self.pushed = True
            more = True
            while more:
                query = urlencode({"cursor": self.cursor, "limit": _PAGE})
                page = (await self._asked(http, "GET", f"/api/sync/pull?{query}")).page
                if page is None:
                    return
                self.cursor, more = page.cursor, page.more
                self.rows += sum(len(block.rows) for block in page.blocks)
        finally:
            http.close()

    async def _asked(self, http: _raw.Http, method: str, path: str, body: bytes = b"") -> _raw.Answer:
        answer = await http.ask(method, path, body)
        what = "push" if method == "POST" else "news" if self.known else "first load"
        self.statuses[f"{what} {answer.status}"] += 1
        if answer.status not in (200, 204):
            raise _RefusedError(answer.retry_after)
        return answer

    def _push(self) -> bytes:
        mutations = [self._edit(mid) for mid in range(1, EDITS + 1)]
        push = wire.Push(device_id=self.device_id, epoch=self.device_id, mutations=mutations)
        return json.dumps(push.as_json()).encode()

    def _edit(self, mid: int) -> wire.Mutation:
        return wire.Mutation(
            mid=mid,
            group="",
            table="leads",
            row_id=self.rng.choice(self.office.leads),
            op=wire.Op.PATCH,
            patch={"motivation": f"said to {self.number}, {mid}"},
            base_ver=1,
            base={"motivation": None},
            edit_ms=round(time.time() * 1000),
            seen_server_ms=0,
        )


class _RefusedError(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


_OPEN: list[_raw.Socket] = []
"""Sockets stay open to the end, as those of real devices do."""


async def _all(crowd: Crowd) -> dict[str, Any]:
    statuses: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    fresh = round(crowd.count * FIRST_LOADS)
    phones = [
        Phone(
            port=crowd.port,
            office=(office := crowd.offices[number % len(crowd.offices)]),
            number=number,
            cursor="" if number < fresh else office.cursor,
            rng=random.Random(number),
            statuses=statuses,
            faults=faults,
        )
        for number in range(crowd.count)
    ]
    begun = time.perf_counter()
    took = await asyncio.gather(*(phone.come_back() for phone in phones))
    return {
        "known": [one for one in took[fresh:] if one is not None],
        "new": [one for one in took[:fresh] if one is not None],
        "statuses": dict(statuses),
        "faults": dict(faults),
        "left_behind": sum(one is None for one in took),
        "seconds": time.perf_counter() - begun,
        "client_cpu": time.process_time(),
    }


def main() -> None:
    """What `measured` starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    told = json.loads(sys.stdin.read())
    told["offices"] = [Office(**office) for office in told["offices"]]
    print(json.dumps(asyncio.run(_all(Crowd(**told)))))


if __name__ == "__main__":
    main()
