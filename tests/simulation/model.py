"""The server as a model: the real decisions of backend/services on rows in memory, behind an HTTP face of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import zstandard

from backend import errors as statuses
from backend.actor import Actor, Role
from backend.services import pull
from backend.services.conversation import InPlace
from backend.services.gate import Gate
from backend.storage.history import Span
from backend.services.gate import Gate
from domain import errors, tables, values, wire
from tests.simulation import tus
from tests.simulation.accounts import Accounts, User
from tests.simulation.http import Answer, Request
from tests.simulation.memory import Memory, ServerKilled, Transaction
from tests.simulation.world import Clock, World

T = TypeVar("T")
ROWS_OF = {"leads": "lead_id"}


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
    loads: Gate = field(default_factory=Gate)

    @property
    def hub(self) -> Needs:
        return self

    def nudge(self) -> None:
        self.news()


class Model:
    """What `tests.simulation.server.Server` says, without a database or a socket."""

    name = "model"

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock(world)
        self.memory = Memory(world, self.clock)
        self.accounts = Accounts(world)
        self.uploads = tus.Uploads(world)
        self.newer = False
        self._granted: dict[tuple[str, str], int] = {}
        self.too_old_until = 0
        self.on_news: Callable[[], None] = lambda: None
        self.needs = Needs(self.memory, self.clock, lambda: self.on_news())

    # What devices do

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
        return _json(route(request, actor), request)

    def _routes(self) -> dict[tuple[str, str], Callable[[Request, Actor], dict[str, Any]]]:
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

    def _pull(self, request: Request, actor: Actor) -> dict[str, Any]:
        if self.world.now_ms < self.too_old_until:
            wire.check_protocol("2")
        ask = wire.PullAsk(
            cursor=request.query("cursor"),
            limit=int(request.query("limit", str(pull.DEFAULT_LIMIT))),
            scope=request.query("scope"),
            device_id=request.header(wire.DEVICE_HEADER),
        )
        said = driven(self._talk(request, actor).pull(ask)).as_json()
        return _of_newer_server(said) if self.newer else said

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
        return InPlace(deps=self.needs, actor=actor, schema=schema)

    # What the brokerage does

    def add_location(self, location_id: str, name: str) -> None:
        row = {"location_id": location_id, "created_at": self._time(), "name": name, "state": "CA"}
        self.write(lambda work: work.insert(tables.LOCATIONS, location_id, row))

    def add_user(self, user_id: str, name: str, role: str, locations: set[str]) -> None:
        self.accounts.users[user_id] = User(id=user_id, name=name, role=Role(role))
        for location in sorted(locations):
            self.grant(user_id, location)

    def grant(self, user_id: str, location: str) -> None:
        """As the trigger people_follow_grants does it."""
        user = self.accounts.users[user_id]
        if location in user.locations:
            return
        user.locations.add(location)
        self._granted[(user_id, location)] = self._ms()
        known = self._person(user_id, location)
        if known:
            self.write(lambda work: work.restore(known, {}, edit_ms=self._ms()))
            return
        row = {
            "location_id": location,
            "created_at": self._time(),
            "user_id": user_id,
            "name": user.name,
            "role": user.role.value,
        }
        self.write(lambda work: work.insert(tables.PEOPLE, self.world.new_id(), row))

    def revoke(self, user_id: str, location: str) -> None:
        user = self.accounts.users[user_id]
        known = self._person(user_id, location)
        if location in user.locations and known:
            user.locations.discard(location)
            since = self._granted.pop((user_id, location))
            span = Span(scope=location, from_ms=since, until_ms=self._ms())

            async def end(work: Transaction) -> None:
                work.ended(user_id, span)
                await work.delete(known, edit_ms=self._ms())

            self.write(end)

    def move(self, table: str, row_id: str, location: str) -> bool:
        """A manager moves a row to another location, on the server."""
        row = self.memory.data.rows.get((table, row_id))
        if row is None or row.deleted or row.scope == location or (table, row_id) in self.memory.locked:
            return False
        self.write(lambda work: work.update(row, {"location_id": location}, edit_ms=self._ms()))
        return True

    def write(self, do: Callable[[Transaction], Coroutine[Any, Any, Any]]) -> None:
        """The server itself writes, in a transaction of its own."""
        driven(self._written(do))
        self.on_news()

    async def _written(self, do: Callable[[Transaction], Coroutine[Any, Any, Any]]) -> None:
        async with self.memory.transaction() as work:
            await do(work)

    def stamp(self) -> set[str]:
        """Number what is committed; the locations with news."""
        return self.memory.stamp()

    def locations_of(self, user_id: str) -> frozenset[str]:
        return frozenset(self.accounts.users[user_id].locations)

    def rows(self, scopes: frozenset[str]) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
        """(table, id) → version and values of what these locations hold."""
        return {key: (row.ver, dict(row.values)) for key, row in self.memory.visible(scopes).items()}

    def is_untouched(self, table: str, row_id: str) -> bool:
        """As it was made: nobody changed, moved or deleted it."""
        row = self.memory.data.rows.get((table, row_id))
        return row is not None and row.ver == 1

    def uploads_of(self, note_id: str) -> list[str]:
        """SHA-256 of the whole files that are here for a note."""
        return [upload.sha256 for upload in self.uploads.of_note(note_id) if upload.done]

    def _person(self, user_id: str, location: str) -> Any:
        return next(
            (
                row
                for (table, _), row in self.memory.data.rows.items()
                if table == "people" and (row.values["user_id"], row.scope) == (user_id, location)
            ),
            None,
        )

    def _ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)

    def _time(self) -> str:
        moment: datetime = self.clock.now()
        return values.time_text(moment)


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


__all__ = ["Model", "ServerKilled", "driven"]
