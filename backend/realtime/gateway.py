"""All live sockets of this process: who may come in, which groups they share, and whether they may stay."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from backend import policy
from backend.api.deps import is_loopback
from backend.realtime import checks, presence, tickets
from backend.realtime.alerts import AlertGroup
from backend.realtime.audience import Audience, Question, audience_of
from backend.realtime.channels import KINDS, Sources
from backend.realtime.connection import Connection, Seat
from backend.realtime.group import StateGroup
from backend.realtime.news import News
from backend.realtime.quality import Returns
from backend.realtime.windows import Windows
from backend.services import audit, auth
from domain import errors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from backend.actor import Actor
    from backend.deps import Deps
    from backend.realtime import messages
    from backend.realtime.members import Group, Point

logger = logging.getLogger(__name__)

TICK = 1.0
PRESENCE_SECONDS = 30.0
POLL_SECONDS = 2.0
"""While Valkey is away each group looks for itself so often."""


class Gateway:
    """Its tasks run while there is a connection."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.windows = Windows()
        self.returns = Returns()
        self.connections: set[Connection] = set()
        self.most = deps.settings.bi_websocket_max_connections
        self.most_of_person = deps.settings.bi_websocket_max_per_user
        self.most_of_address = deps.settings.bi_websocket_max_per_address
        self.addresses: Counter[str] = Counter()
        self.persons: Counter[str] = Counter()
        self._sources = Sources(deps=deps, windows=self.windows)
        self._groups: dict[tuple[str, Question], Group] = {}
        self._news = News(deps, touched=self._touched, moved=self._moved)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def deaf(self) -> bool:
        """Connections are open, but the line to Valkey is not."""
        return bool(self._tasks) and self._news.deaf

    def crowded(self, peer: auth.Peer) -> bool:
        """Does this address hold as many sockets as one may? (Never this machine: there proxies and the app's server are.)"""
        return not is_loopback(peer.address) and self.addresses[peer.address] >= self.most_of_address

    def forget(self, address: str) -> None:
        """One of its sockets is over."""
        self.addresses[address] -= 1
        if self.addresses[address] <= 0:
            del self.addresses[address]

    def check(self, actor: Actor, questions: Iterable[Question]) -> None:
        """Raises: ForbiddenError for a channel that is not theirs."""
        for question in questions:
            policy.check(actor, KINDS[question.channel].permission)

    async def attend(self, connection: Connection, questions: Collection[Question]) -> None:
        """Charge who looks, and write down at what. Raises: TooManyTriesError."""
        await self.deps.limits.person(connection.actor.id, len(questions))
        seen = {"channels": sorted({question.channel for question in questions})}
        places = connection.audience.locations
        await audit.record(
            self.deps, connection.actor, action="live", resource="WS", location_ids=places, detail=seen
        )

    def returned(self, actor: Actor) -> None:
        """Its line was cut and it came back."""
        self.returns.came(actor.session_id, asyncio.get_running_loop().time())

    async def proof_of(self, said: messages.SignIn) -> bytes:
        """The hash of the access token behind a first message. Raises: AccessError; redis' errors without Valkey."""
        if said.ticket:
            return await tickets.spend(self.deps, said.ticket)
        return auth.hash_of(said.token or "")

    def qualities(self) -> dict[str, int]:
        """How many lines do how well."""
        return dict(Counter(connection.quality.value for connection in self.connections))

    async def enter(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.persons[connection.actor.id] += 1
        if not self._tasks:
            running = (self._news.run(), self._watch(), checks.keep_on(self))
            self._tasks = [asyncio.create_task(one) for one in running]

    async def leave(self, connection: Connection) -> None:
        """It is over; the last one ends what runs for them."""
        connection.over()
        self.connections.discard(connection)
        self.persons.subtract([connection.actor.id])
        self.persons += Counter()  # forgets who has none
        channels = {seat.channel for seat in connection.seats.values()}
        for question in list(connection.seats):
            await self.unsubscribe(connection, question)
        if not self._news.deaf:
            await presence.leave(self.deps, connection.member, channels)
        if not self.connections:
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def subscribe(self, connection: Connection, question: Question, point: Point | None = None) -> None:
        """The first frame follows at once, or as soon as there is something to show. Raises: ForbiddenError."""
        self.check(connection.actor, [question])
        if (old := connection.seats.get(question)) is not None:
            old.restart(point)
            return
        group = self._group(connection.audience, question)
        seat = Seat(connection, group, point)
        connection.seats[question] = seat
        group.members.add(seat)
        self.deps.live.subscriptions[question.channel] += 1
        seat.greet()

    async def unsubscribe(self, connection: Connection, question: Question) -> None:
        seat = connection.seats.pop(question)
        connection.leave(seat)
        self.deps.live.subscriptions[question.channel] -= 1
        seat.group.members.discard(seat)
        if not seat.group.members:
            self._groups.pop((seat.group.audience.key, question), None)
            self.deps.live.groups = len(self._groups)
            await seat.group.close()

    async def renew(self, connection: Connection, proof: bytes) -> None:
        """Go on with another access token, of the same person. Raises: AccessError, ForbiddenError."""
        actor = await auth.actor_behind(self.deps, proof, connection.peer)
        if actor.id != connection.actor.id:
            raise errors.ForbiddenError(
                "This is somebody else's.", where="token", hint="Open another socket."
            )
        connection.proof = proof
        await self.follow(connection, actor, await audience_of(self.deps, actor, connection.place))

    async def follow(self, connection: Connection, actor: Actor, audience: Audience) -> None:
        """Into the groups of what this person may see now. Raises: ForbiddenError."""
        connection.actor = actor
        if audience.key == connection.audience.key:
            return
        questions = list(connection.seats)
        self.check(actor, questions)
        connection.audience = audience
        for question in questions:
            await self.unsubscribe(connection, question)
            self.subscribe(connection, question)

    def _group(self, audience: Audience, question: Question) -> Group:
        key = (audience.key, question)
        if key not in self._groups:
            kind = KINDS[question.channel]
            made = (AlertGroup if question.channel == "alerts" else StateGroup)(
                self._sources, kind, audience, question
            )
            self._groups[key] = made
            self.deps.live.groups = len(self._groups)
            made.open()
        return self._groups[key]

    def _touched(self, keys: frozenset[int]) -> None:
        for group in self._groups.values():
            if group.kind.follows_feed and not keys.isdisjoint(group.audience.hears):
                group.touch()

    def _moved(self, tick: Any) -> None:
        keys = self.windows.hear(tick)
        for group in self._groups.values():
            if group.kind.keyed and not keys.isdisjoint(group.audience.scope.places):
                group.touch()

    async def _watch(self) -> None:
        """What is looked after from time to time."""
        loop = asyncio.get_running_loop()
        polled = shown = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            for connection in tuple(self.connections):
                connection.check(now, self.returns.count(connection.actor.session_id, now))
            if self._news.deaf and now - polled >= POLL_SECONDS:
                polled = now
                for group in self._groups.values():
                    group.touch()
            if now - shown >= PRESENCE_SECONDS:
                shown = now
                await self._show()

    async def _show(self) -> None:
        present: dict[str, list[str]] = defaultdict(list)
        for connection in self.connections:
            for channel in {seat.channel for seat in connection.seats.values()}:
                present[channel].append(connection.member)
        await presence.show(self.deps, present)
