"""Up: the outbox in batches, each answer into the store in one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from domain import errors, ports, wire
from storage import batches, cursor, database, events, outbox, pushed, scopes
from sync import answers, client

logger = logging.getLogger(__name__)

PATH = "/api/sync/push"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one push did. `stuck`: nothing went through now, so asking at once again is no use."""

    safe: int = 0
    parked: int = 0
    stuck: bool = False


@dataclass(slots=True, kw_only=True)
class Push:
    """`limit` shrinks while the server refuses whole batches, so that one change can't stop the others."""

    db: database.Database
    line: client.Client
    clock: ports.Clock
    limit: int = wire.MAX_MUTATIONS

    async def batch(self) -> Sent | None:
        """Send the next batch; None = nothing waits. Raises: NetworkError, AccessError, InputError, StoreError."""
        lines = batches.next_batch(self.db, limit=self.limit)
        if not lines:
            return None
        mutations = [line.mutation for line in lines]
        with self.db.write_tx() as tx:
            outbox.mark_inflight(tx, [mutation.mid for mutation in mutations])
        try:
            answer = await self._ask(mutations)
        except errors.DeviceForkedError:
            self._fork()
            return Sent()
        except errors.NotFoundError:
            raise  # an address that this server doesn't have says nothing of the changes
        except errors.InputError as fault:
            return self._refused(mutations, fault)
        self.limit = min(self.limit * 2, wire.MAX_MUTATIONS)
        return self._apply(mutations, answer)

    def _refused(self, mutations: list[wire.Mutation], fault: errors.InputError) -> Sent:
        """The server can't read the batch: try it in halves; what it refuses alone waits for a person."""
        if len({mutation.group for mutation in mutations}) > 1:
            self.limit = max(1, len(mutations) // 2)
            return Sent()
        with self.db.write_tx() as tx:
            for mutation in mutations:
                outbox.mark_parked(tx, mutation.mid, code=fault.code, message=fault.message)
            events.add(tx, "push.refused", level="error", at=self.clock.now(), code=fault.code)
        return Sent(parked=len(mutations))

    async def _ask(self, mutations: list[wire.Mutation]) -> wire.PushAnswer:
        device = cursor.device(self.db)
        push = wire.Push(device_id=device.id, epoch=device.epoch, mutations=mutations)
        said = await self.line.request("POST", PATH, json=push.as_json())
        found = answers.sync_json(said.headers, said.content)
        try:
            return wire.PushAnswer.from_json(found)
        except (KeyError, TypeError, ValueError) as fault:
            raise answers.not_ours("no push answer") from fault

    def _apply(self, mutations: list[wire.Mutation], answer: wire.PushAnswer) -> Sent:
        with self.db.write_tx() as tx:
            outcome = pushed.apply(tx, mutations, answer, now_ms=_now_ms(self.clock))
            known = cursor.place(tx).incarnation
            if known and answer.incarnation != known:
                # A restored backup: it may lack what an earlier answer called safe.
                scopes.new_incarnation(tx)
                cursor.put(tx, incarnation=answer.incarnation)
                events.add(tx, "push.new_incarnation", level="warning", at=self.clock.now())
        for file in outcome.files:
            file.unlink(missing_ok=True)
        logger.info(
            "sync.pushed",
            extra={"safe": outcome.safe, "parked": outcome.parked, "again": outcome.again},
        )
        return Sent(safe=outcome.safe, parked=outcome.parked, stuck=not (outcome.safe or outcome.parked))

    def _fork(self) -> None:
        """This store is a copy of another device's: a new name, new numbers, nothing is thrown away."""
        with self.db.write_tx() as tx:
            cursor.new_device(tx)
            outbox.renumber(tx)
            events.add(tx, "push.device_forked", level="warning", at=self.clock.now())
        logger.warning("sync.device_forked")


def _now_ms(clock: ports.Clock) -> int:
    return round(clock.now().timestamp() * 1000)
