"""The whole talk of one person's device with the server, in place: what the HTTP routes answer with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from backend.actor import Actor
from backend.services import digests, pull, push
from backend.services.needs import SyncNeeds
from backend.services.work import key_of
from backend.storage.store import Key
from domain import errors, tables, wire
from domain.wire.lenses import CHAIN, Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """`domain.wire.Conversation` for who is signed in. `schema`: the tables' version that the device has.

    Pull, digests and rows raise VersionMismatchError for a schema out of reach; a push is taken all the same, so that no
    work is shut up in a device: as far as the lenses reach, and what can't be said in today's tables is parked.
    """

    deps: SyncNeeds
    actor: Actor
    schema: int = wire.SCHEMA
    lenses: Chain = CHAIN

    async def push(self, asked: wire.Push) -> wire.PushAnswer:
        answer = await push.push(self.deps, self.actor, asked, lenses=self.lenses)
        results = await self._told_whole(asked.mutations, answer.results)
        return replace(answer, results=[self._lowered(result) for result in results])

    async def pull(self, ask: wire.PullAsk) -> wire.Page:
        self.lenses.check(self.schema)
        if self.schema != self.lenses.current:
            ask = replace(ask, changes=False)  # a row is turned whole into older tables
        page = await pull.pull(self.deps, self.actor, ask)
        return replace(page, blocks=[self.lenses.block(block, self.schema) for block in page.blocks])

    async def digests(self, ask: wire.DigestAsk) -> wire.Digests:
        self.lenses.check(self.schema)
        if ask.content and self.schema != self.lenses.current:
            raise errors.InputError(
                "Contents are compared between equal versions of the tables only.",
                where="content",
                hint="Compare ids and versions (content=0), or update the app.",
            )
        return await digests.sums(self.deps, self.actor, ask)

    async def rows(self, ask: wire.RowsAsk) -> wire.RangeRows:
        self.lenses.check(self.schema)
        found = await digests.rows(self.deps, self.actor, ask)
        return replace(found, block=self.lenses.block(found.block, self.schema))

    async def _told_whole(
        self, mutations: Sequence[wire.Mutation], results: Sequence[wire.Result]
    ) -> list[wire.Result]:
        """An app that was updated over changes that waited can't lay their former words upon its rows: it gets the rows."""
        older = {key_of(m) for m in mutations if m.schema != self.schema and self.lenses.turns(m)}
        if not older:
            return list(results)
        of = {m.mid: key_of(m) for m in mutations}
        applied = {of[one.mid] for one in results if one.status is wire.Status.APPLIED}
        rows = await self._rows(older & applied)
        return [
            replace(one, status=wire.Status.MERGED, ver=rows[of[one.mid]].ver, row=rows[of[one.mid]])
            if one.status is wire.Status.APPLIED and of[one.mid] in rows
            else one
            for one in results
        ]

    async def _rows(self, keys: Collection[Key]) -> dict[Key, wire.Row]:
        found: dict[Key, wire.Row] = {}
        async with self.deps.stores.read() as store:
            for table in {tables.BY_NAME[name] for name, _ in keys}:
                ids = [row_id for name, row_id in keys if name == table.name]
                for row_id, ver, *values in await store.visible(table, ids, scopes=self.actor.locations):
                    named = dict(zip(table.columns, values, strict=True))
                    found[table.name, row_id] = wire.Row(table=table.name, id=row_id, ver=ver, values=named)
        return found

    def _lowered(self, result: wire.Result) -> wire.Result:
        return replace(result, row=self.lenses.row(result.row, self.schema)) if result.row else result
