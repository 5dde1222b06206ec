"""A device's changes arrive: each once, each group whole, and one that can't be applied never stops the others."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from backend.actor import Actor
from backend.services import apply
from backend.services.needs import SyncNeeds
from backend.storage import feed, mutations
from backend.storage.store import Key, Passing, RefusedByStore, Store, Stores
from domain import errors, values, wire

logger = logging.getLogger(__name__)

Group = list[wire.Mutation]
_TRIES = 3
# A mistake of ours with one change must not stop the others either: it is parked, and the log knows why.
_MISTAKE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_POISON = (RefusedByStore, *_MISTAKE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """Who sends, from which store, and when it got here."""

    actor: Actor
    sender: mutations.Sender
    now: datetime


async def push(deps: SyncNeeds, actor: Actor, asked: wire.Push) -> wire.PushAnswer:
    """Apply what is new, answer for each mutation. Raises: InputError, DeviceForkedError.

    All groups in one transaction first (one commit for a long queue); when the database itself refuses
    something, each group in a transaction of its own, so that only the one at fault is parked.
    """
    sender = mutations.Sender(device_id=asked.device_id, epoch=asked.epoch, user_id=actor.id)
    arrived = _Arrived(actor=actor, sender=sender, now=deps.clock.now())
    groups = _groups(asked.mutations)
    try:
        results = await _tried(deps.stores, arrived, groups, set())
    except errors.JorgeError:
        raise
    except _POISON:
        results = await _one_by_one(deps.stores, arrived, groups)
    if results:
        deps.hub.nudge()
    _log(results)
    async with deps.stores.read() as store:
        head = await store.head()
    return wire.PushAnswer(
        results=[*results, *asked.unreadable],
        server_ms=int(
            deps.clock.now().timestamp() * 1000
        ),  # as late as possible: devices set their offset by it
        incarnation=head.incarnation,
    )


def _groups(asked: Sequence[wire.Mutation]) -> list[Group]:
    """Neighbours of the same group; one without a group stands alone. A mid that comes twice counts once."""
    known: dict[int, wire.Mutation] = {}
    for mutation in asked:
        if known.setdefault(mutation.mid, mutation) != mutation:
            raise errors.InputError(
                f"Two different mutations carry the number {mutation.mid}.", where="mutations.mid"
            )
    return [list(group) for _, group in groupby(known.values(), key=lambda m: m.group or m.mid)]


async def _tried(
    stores: Stores, arrived: _Arrived, groups: list[Group], blocked: set[Key]
) -> list[wire.Result]:
    """A deadlock is tried again; at last the device is asked to send it later."""
    for _ in range(_TRIES):
        try:
            async with stores.transaction() as store:
                return await _in_transaction(store, arrived, groups, set(blocked))
        except Passing as fault:
            logger.info("push.again", extra={"fault": str(fault)})
    return _later(groups)


def _later(groups: list[Group]) -> list[wire.Result]:
    return [
        wire.Result(mid=m.mid, status=wire.Status.RETRY, code="busy", message="Send it again in a moment.")
        for group in groups
        for m in group
    ]


async def _one_by_one(stores: Stores, arrived: _Arrived, groups: list[Group]) -> list[wire.Result]:
    results: list[wire.Result] = []
    blocked: set[Key] = set()
    for number, group in enumerate(groups):
        try:
            some = await _tried(stores, arrived, [group], blocked)
        except errors.JorgeError:
            raise
        except _POISON as fault:
            logger.warning("push.poison", extra={"fault": type(fault).__name__, "at": _where(fault)})
            some = await _park_group(stores, arrived.sender, group)
        results += some
        if any(result.status is wire.Status.RETRY for result in some):
            return results + _later(groups[number + 1 :])  # what follows may build on it
        blocked |= _touched(group, some)
    return results


async def _in_transaction(
    store: Store, arrived: _Arrived, groups: list[Group], blocked: set[Key]
) -> list[wire.Result]:
    sender, actor = arrived.sender, arrived.actor
    everything = [mutation for group in groups for mutation in group]
    seen = await store.claim(sender, everything)
    _refuse_fork(sender, everything, seen)
    origin = feed.origin(sender.device_id, actor.id)
    await store.act_as(actor_id=actor.id, origin=origin)
    work = apply.Work(store=store, actor=actor, origin=origin, now=arrived.now)
    work.held = await store.lock({apply.key_of(m) for m in everything if values.is_id(m.row_id)})
    results = {m.mid: _replayed(work, m, seen[m.mid].result) for m in everything if m.mid in seen}
    for group in groups:
        some = await _group(work, sender, [m for m in group if m.mid not in seen], blocked)
        results |= {result.mid: result for result in some}
        blocked |= _touched(group, [results[m.mid] for m in group])
    await store.settle(sender, [results[m.mid] for m in everything if m.mid not in seen])
    return [results[m.mid] for m in everything]


async def _group(
    work: apply.Work, sender: mutations.Sender, group: Group, blocked: set[Key]
) -> list[wire.Result]:
    """All of the group, or none of it and each parked."""
    held = dict(work.held)
    results: list[wire.Result] = []
    # One mutation alone is refused before anything of it is written: no savepoint needed.
    together = work.store.savepoint() if len(group) > 1 else contextlib.nullcontext()
    try:
        async with together:
            for mutation in group:
                if apply.key_of(mutation) in blocked:
                    raise apply.Refused("depends", "It builds on a change that could not be applied.")
                results.append(await apply.apply(work, mutation))
            return results
    except apply.Refused as refused:
        work.held = held
        await apply.aftermath(work, refused)
        parked = [_parked(m, refused if i == len(results) else None) for i, m in enumerate(group)]
    for mutation, result in zip(group, parked, strict=True):
        await work.store.park(sender, mutation, result)
    return parked


def _parked(mutation: wire.Mutation, refused: apply.Refused | None) -> wire.Result:
    if refused is None:
        return wire.Result(
            mid=mutation.mid,
            status=wire.Status.PARKED,
            code="group",
            message="It belongs to a change that could not be applied.",
        )
    return wire.Result(
        mid=mutation.mid,
        status=wire.Status.PARKED,
        ver=refused.row.ver if refused.row else 0,
        code=refused.code,
        message=refused.message,
    )


async def _park_group(stores: Stores, sender: mutations.Sender, group: Group) -> list[wire.Result]:
    """The database itself refused a value of this group."""
    results = [
        wire.Result(
            mid=mutation.mid,
            status=wire.Status.PARKED,
            code="bad_value",
            message="The server's database does not take these values.",
        )
        for mutation in group
    ]
    async with stores.transaction() as store:
        seen = await store.claim(sender, group)
        _refuse_fork(sender, group, seen)
        await store.settle(sender, [r for r in results if r.mid not in seen])
        for mutation, result in zip(group, results, strict=True):
            await store.park(sender, mutation, result)
    return results


def _replayed(work: apply.Work, mutation: wire.Mutation, stored: wire.Result) -> wire.Result:
    """What a repeat is told: what became of it then, and the row as it is now, if this person may see it."""
    if stored.status is wire.Status.PARKED:
        return stored
    row = work.held.get(apply.key_of(mutation))
    shown = row if row is not None and row.scope in work.actor.locations else None
    return wire.Result(
        mid=mutation.mid,
        status=wire.Status.DUPLICATE,
        ver=shown.ver if shown else stored.ver,
        row=shown.on_wire() if shown else None,
    )


def _refuse_fork(
    sender: mutations.Sender, asked: Sequence[wire.Mutation], seen: dict[int, mutations.Seen]
) -> None:
    for mutation in asked:
        before = seen.get(mutation.mid)
        if before and (before.content_hash, before.user_id) != (mutation.content_hash(), sender.user_id):
            logger.warning("push.forked")
            raise errors.DeviceForkedError(
                f"Change {mutation.mid} of this device is already here with another content.",
                where="device_id",
                hint="This store is a copy of another: take a new device id and epoch, then send again.",
            )


def _touched(group: Group, results: Sequence[wire.Result]) -> set[Key]:
    """Rows that later mutations must not build on."""
    if all(result.status is not wire.Status.PARKED for result in results):
        return set()
    return {apply.key_of(mutation) for mutation in group}


def _where(fault: BaseException) -> str:
    """File and line, without the message: that may hold what a person typed."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


def _log(results: Sequence[wire.Result]) -> None:
    counts = {status.value: 0 for status in wire.Status}
    for result in results:
        counts[result.status.value] += 1
    logger.info("push", extra={name: count for name, count in counts.items() if count})
