"""The whole talk of one person's device with the server, in place: what the HTTP routes answer with."""

from __future__ import annotations

from dataclasses import dataclass

from backend.actor import Actor
from backend.services import digests, pull, push
from backend.services.needs import SyncNeeds
from domain import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """`domain.wire.Conversation` for who is signed in."""

    deps: SyncNeeds
    actor: Actor

    async def push(self, asked: wire.Push) -> wire.PushAnswer:
        return await push.push(self.deps, self.actor, asked)

    async def pull(self, ask: wire.PullAsk) -> wire.Page:
        return await pull.pull(self.deps, self.actor, ask)

    async def digests(self, ask: wire.DigestAsk) -> wire.Digests:
        return await digests.sums(self.deps, self.actor, ask)

    async def rows(self, ask: wire.RowsAsk) -> wire.RangeRows:
        return await digests.rows(self.deps, self.actor, ask)
