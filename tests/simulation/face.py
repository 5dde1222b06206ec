"""The model's HTTP face: the same addresses, states and problems as backend/api, for bytes in and bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import zstandard

from backend import errors as statuses
from backend.actor import Actor
from backend.services import pull
from backend.services.conversation import InPlace
from backend.services.gate import Gate
from backend.services.rights import Rights
from domain import errors, tables, wire
from domain.wire.lenses import CHAIN
from tests.simulation import tus
from tests.simulation.accounts import Accounts
from tests.simulation.http import Answer, Request
from tests.simulation.memory import Memory
from tests.simulation.world import Clock, World

T = TypeVar("T")


def driven(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    raise AssertionError("it waits for something")


@dataclass(slots=True)
class Needs:
    """`backend.services.needs.SyncNeeds` of the model."""

    stores: Memory
    clock: Clock
    news: Callable[[], None]
    loads: Gate = field(default_factory=Gate)

    @property
    def hub(self) -> Needs:
        return self

    def nudge(self) -> None:
        self.news()


class Face:
    """`newer`: speaks of a field and a table that this release doesn't know. `too_old_until`: pulls are refused till then."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock(world)
        self.memory = Memory(world, self.clock)
        self.accounts = Accounts(world)
        self.uploads = tus.Uploads(world, self._may_add)
        self.newer = False
        self.lenses = CHAIN
        self.too_old_until = 0
        self.on_news: Callable[[], None] = lambda: None
        self.needs = Needs(self.memory, self.clock, lambda: self.on_news())

    def handle(self, request: Request) -> Answer:
        """Raises: ServerKilled in the middle of it."""
        self.memory.serving = True
        try:
            return self._answer(request)
        except errors.JorgeError as fault:
            headers = {"Content-Type": "application/json"}
            if fault.retry_after is not None:
                headers["Retry-After"] = str(fault.retry_after)
            return Answer(
                status=statuses.status_of(fault),
                headers=headers | tus.standing_of(fault),
                body=json.dumps(fault.as_problem()).encode(),
            )
        finally:
            self.memory.serving = False

    def cut_off(self, request: Request) -> None:
        """Only the beginning of the body arrived."""
        if request.path.startswith("/api/uploads/"):
            self.uploads.cut_off(request)

    def _answer(self, request: Request) -> Answer:
        if request.path == "/api/auth/refresh":
            said = json.loads(request.data())
            return _json({"access_token": self.accounts.renew(said["refresh_token"])}, request)
        protocol = request.header(wire.PROTOCOL_HEADER)
        if protocol and protocol != str(wire.PROTOCOL):
            wire.check_protocol(protocol)
        actor = self.accounts.actor(request.header("Authorization"))
        if request.path.startswith("/api/uploads"):
            return self.uploads.handle(request, actor)
        route = self._routes().get((request.method, request.path))
        if route is None:
            raise errors.NotFoundError("There is nothing at this address.", where=request.path)
        said = route(request, actor)
        return said if isinstance(said, Answer) else _json(said, request)

    def _may_add(self, actor: Actor, note_id: str) -> str:
        """As backend/services/uploads.py asks it."""

        async def asked() -> str:
            async with self.memory.read() as store:
                held = self.memory.data.rows
                note = held.get((tables.NOTES.name, note_id))
                if note is None:
                    return ""
                lead = held.get((tables.LEADS.name, str(note.values["lead_id"])))
                rights = Rights(store=store, actor=actor, now_ms=self.memory.now_ms)
                return note.scope if await rights.might_add_file(note, lead) else ""

        return driven(asked())

    def _routes(self) -> dict[tuple[str, str], Callable[[Request, Actor], dict[str, Any] | Answer]]:
        return {
            ("POST", "/api/sync/push"): self._push,
            ("GET", "/api/sync/pull"): self._pull,
            ("GET", "/api/sync/digests"): self._digests,
            ("GET", "/api/sync/rows"): self._range_rows,
        }

    def _push(self, request: Request, actor: Actor) -> dict[str, Any]:
        try:
            said = json.loads(request.data())
        except ValueError as fault:
            raise errors.InputError("The body is no JSON.", where="body") from fault
        return driven(self._talk(request, actor).push(wire.Push.from_json(said))).as_json()

    def _pull(self, request: Request, actor: Actor) -> Answer:
        if self.world.now_ms < self.too_old_until:
            wire.check_protocol("2")
        ask = wire.PullAsk(
            cursor=request.query("cursor"),
            limit=int(request.query("limit", str(pull.DEFAULT_LIMIT))),
            scope=request.query("scope"),
            device_id=request.header(wire.DEVICE_HEADER),
            changes=bool(request.header(wire.SCHEMA_HEADER)) and not request.query("whole"),
        )
        page = driven(self._talk(request, actor).pull(ask))
        if page == wire.Page(cursor=ask.cursor, more=False, blocks=[], removed=[], server_ms=page.server_ms):
            return Answer(status=204, headers={wire.TIME_HEADER: str(page.server_ms)})
        said = page.as_json()
        return _json(_of_newer_server(said) if self.newer else said, request)

    def _digests(self, request: Request, actor: Actor) -> dict[str, Any]:
        content = request.query("content") == "1"
        ask = wire.DigestAsk(content=content, scope=request.query("scope"), table=request.query("table"))
        return driven(self._talk(request, actor).digests(ask)).as_json()

    def _range_rows(self, request: Request, actor: Actor) -> dict[str, Any]:
        ranges = [int(part, 16) for part in request.query("ranges").split(",") if part]
        ask = wire.RowsAsk(scope=request.query("scope"), table=request.query("table"), ranges=ranges)
        return driven(self._talk(request, actor).rows(ask)).as_json()

    def _talk(self, request: Request, actor: Actor) -> InPlace:
        schema = int(request.header(wire.SCHEMA_HEADER, str(wire.SCHEMA)))
        return InPlace(deps=self.needs, actor=actor, schema=schema, lenses=self.lenses)


def _of_newer_server(page: dict[str, Any]) -> dict[str, Any]:
    """A field and a table that this release does not know."""
    blocks = list(page.get("blocks", []))
    for block in blocks:
        if block["table"] == "leads":
            block["columns"] = [*block["columns"], "mood"]
            block["rows"] = [[*row, "sunny"] for row in block["rows"]]
    strange = {"table": "moods", "columns": ["id", "ver", "location_id"], "rows": []}
    return {**page, "blocks": [*blocks, strange]}


def _json(data: dict[str, Any], request: Request) -> Answer:
    body = json.dumps(data, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if len(body) > 1000 and "zstd" in request.header("accept-encoding"):
        body = zstandard.ZstdCompressor(level=3).compress(body)
        headers["Content-Encoding"] = "zstd"
    return Answer(status=200, headers=headers, body=body)
