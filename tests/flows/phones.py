"""A phone as flows need one: a real store on disk, the real engine, and a line to the real server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from domain import ids, ports, tables
from storage import cursor, database, edits, leads, outbox, rows
from sync import client, engine, login, session, status
from tests import fakes


@dataclass(slots=True, kw_only=True)
class Phone:
    """`cut` = no network. Each method is one thing that its user does."""

    path: Path
    db: database.Database
    line: client.Client
    clock: ports.Clock
    grant: session.Grant
    sync: engine.Engine
    transport: Line = field()

    @property
    def location(self) -> str:
        return self.grant.location_ids[0]

    def edit(self, do: Callable[[edits.Edit], object]) -> None:
        with self.db.write_tx() as tx:
            do(edits.start(tx, self.clock.now()))

    def add_lead(self, **values: Any) -> str:
        lead_id = ids.new_id()
        lead = {"location_id": self.location, "kind": "seller", "name": "Ann Lee", "stage": "new", **values}
        self.edit(lambda e: e.put("leads", lead_id, lead))
        return lead_id

    def change(self, lead_id: str, **changes: Any) -> None:
        self.edit(lambda e: e.patch("leads", lead_id, changes))

    def lead(self, lead_id: str) -> leads.Lead:
        found = leads.get(self.db, lead_id)
        assert found is not None
        return found

    async def run(self) -> status.SyncStatus:
        return await self.sync.run_once()

    def everything(self) -> dict[tuple[str, str], dict[str, Any]]:
        """All synced rows, versions included."""
        return {
            (table.name, row["id"]): {"_ver": row["_ver"], **rows.read(table, row)}
            for table in tables.ALL
            for row in self.db.rows(f"SELECT * FROM {table.name}")  # noqa: S608
        }

    def unsent(self) -> int:
        return outbox.counts(self.db).pending

    def restart(self) -> None:
        """The app is killed and started again."""
        self.db.close()
        self.db = database.open_store(self.path)
        self.sync = engine.Engine(self.db, self.line, self.clock)

    def device(self) -> cursor.Device:
        return cursor.device(self.db)


class Killed(BaseException):
    """The app's process ends here: nothing after this point runs."""


class Line(httpx.AsyncBaseTransport):
    """A network that can be cut: before a request, or after the server did its work (the answer is lost)."""

    def __init__(self, real: httpx.AsyncBaseTransport) -> None:
        self._real = real
        self.cut = False
        self.cut_after: int | None = None
        self.die_at: int | None = None
        self.die_after_answer = False
        self.lose_answers = 0
        self.requests: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut or (self.cut_after is not None and len(self.requests) >= self.cut_after):
            raise httpx.ConnectError("no network", request=request)
        self.requests.append(request.url.path)
        dies = self.die_at is not None and len(self.requests) > self.die_at
        if dies and not self.die_after_answer:
            raise Killed
        answer = await self._real.handle_async_request(request)
        if dies:
            await answer.aread()
            raise Killed
        if self.lose_answers and "/sync/push" in request.url.path:
            self.lose_answers -= 1
            await answer.aread()
            raise httpx.ReadError("cut off", request=request)
        return answer


MakePhone = Callable[..., Awaitable[Phone]]


async def open_phone(
    app: Any,
    path: Path,
    email: str,
    password: str,
    clock: ports.Clock,
    *,
    more: Mapping[str, Any] | None = None,
) -> Phone:
    transport = Line(httpx.ASGITransport(app=app))
    http = httpx.AsyncClient(transport=transport, base_url="http://jorge.test", **(more or {}))
    grant = await login.Login(http=http).login(email, password)
    tokens = session.Session(fakes.FakeSecrets(), clock, grant.user_id)
    await tokens.accept(grant)
    line = client.Client(http, tokens)
    db = database.open_store(path)
    return Phone(
        path=path,
        db=db,
        line=line,
        clock=clock,
        grant=grant,
        sync=engine.Engine(db, line, clock),
        transport=transport,
    )
