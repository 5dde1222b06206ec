"""A device's changes arrive: each once, each group whole, and one that can't be applied never stops the others."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import TypeVar

from backend.actor import Actor
from backend.services import apply, duplicates, outcomes
from backend.services.contact_safety import is_optout, keep_optout
from backend.services.dependants import depends
from backend.services.needs import SyncNeeds
from backend.services.rights import Rights
from backend.services.work import Refused, Work, key_of
from backend.storage import mutations, origins
from backend.storage.store import Key, Passing, RefusedByStore, Store, Stores
from domain import errors, tables, values, wire
from domain.wire.lenses import CHAIN, Chain, UnmappableError

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
Group = list[wire.Mutation]
_TRIES = 3
_LEADS = tables.LEADS.name
# A mistake of ours with one change must not stop the others either: it is parked, and the log knows why.
_MISTAKE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_POISON = (RefusedByStore, *_MISTAKE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """Who sends, from which store, and when it got here."""

    actor: Actor
    sender: mutations.Sender
    now: datetime
    lenses: Chain


async def push(deps: SyncNeeds, actor: Actor, asked: wire.Push, *, lenses: Chain = CHAIN) -> wire.PushAnswer:
    """Apply what is new, answer for each mutation. Raises: InputError, DeviceForkedError.

    All groups in one transaction first (one commit for a long queue); when the database itself refuses
    something, each group in a transaction of its own, so that only the one at fault is parked.
    """
    sender = mutations.Sender(device_id=asked.device_id, epoch=asked.epoch, user_id=actor.id)
    arrived = _Arrived(actor=actor, sender=sender, now=deps.clock.now(), lenses=lenses)
    groups = _groups(asked.mutations)
    try:
        results = await _tried(deps.stores, arrived, groups, set())
    except errors.JorgeError:
        raise
    except _POISON:
        results = await _one_by_one(deps.stores, arrived, groups)
    await _keep_optouts(deps.stores, arrived, asked.broken)
    if results or asked.broken:
        deps.hub.nudge()
    outcomes.log(results)
    async with deps.stores.read() as store:
        head = await store.head()
    return wire.PushAnswer(
        results=[*outcomes.each_row_once(results), *asked.unreadable],
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
    """What can't be done now, the device is asked to send later."""
    try:
        return await _again(stores, lambda store: _in_transaction(store, arrived, groups, set(blocked)))
    except Passing:
        return outcomes.later(groups)


async def _again(stores: Stores, change: Callable[[Store], Awaitable[_T]]) -> _T:
    """In a transaction of its own, which a deadlock undoes and begins again. Raises: Passing at last."""
    for _ in range(_TRIES - 1):
        try:
            async with stores.transaction() as store:
                return await change(store)
        except Passing as fault:
            logger.info("push.again", extra={"fault": str(fault)})
    async with stores.transaction() as store:
        return await change(store)


async def _one_by_one(stores: Stores, arrived: _Arrived, groups: list[Group]) -> list[wire.Result]:
    results: list[wire.Result] = []
    blocked: set[Key] = set()
    for number, group in enumerate(groups):
        try:
            some = await _tried(stores, arrived, [group], blocked)
        except errors.JorgeError:
            raise
        except _POISON as fault:
            logger.warning("push.poison", extra={"fault": type(fault).__name__, "at": outcomes.where(fault)})
            some = await _park_group(stores, arrived, group)
        results += some
        if any(result.status is wire.Status.RETRY for result in some):
            return results + outcomes.later(groups[number + 1 :])  # what follows may build on it
        blocked |= _touched(group, some)
    return results


async def _in_transaction(
    store: Store, arrived: _Arrived, groups: list[Group], blocked: set[Key]
) -> list[wire.Result]:
    sender = arrived.sender
    everything = [mutation for group in groups for mutation in group]
    seen = await store.claim(sender, everything)
    _refuse_fork(sender, everything, seen)
    work = await _begin(store, arrived, everything)
    results = {m.mid: outcomes.replayed(work, m, seen[m.mid].result) for m in everything if m.mid in seen}
    for group in groups:
        some = await _group(work, [m for m in group if m.mid not in seen], blocked)
        results |= {result.mid: result for result in some}
        blocked |= _touched(group, [results[m.mid] for m in group])
    await duplicates.find(work)
    await store.settle(sender, [results[m.mid] for m in everything if m.mid not in seen])
    return [results[m.mid] for m in everything]


async def _begin(store: Store, arrived: _Arrived, asked: Sequence[wire.Mutation]) -> Work:
    """Who writes, and what they are about to touch, locked: the rows, their leads, and leads that these were merged into."""
    actor = arrived.actor
    origin = origins.origin(arrived.sender.device_id, actor.id, actor.token)
    now_ms = int(arrived.now.timestamp() * 1000)
    await store.act_as(actor_id=actor.id, origin=origin)
    work = Work(
        store=store,
        actor=actor,
        sender=arrived.sender,
        origin=origin,
        now=arrived.now,
        lenses=arrived.lenses,
        rights=Rights(store=store, actor=actor, now_ms=now_ms),
        held=await store.lock(_wanted(asked)),
    )
    gone = [row_id for (table, row_id), row in work.held.items() if table == _LEADS and row.deleted]
    if gone:
        work.aliases = await store.aliases(gone)
        work.held |= await store.lock({(_LEADS, lead_id) for lead_id in work.aliases.values()})
    return work


def _wanted(asked: Sequence[wire.Mutation]) -> set[Key]:
    rows = {key_of(mutation) for mutation in asked}
    leads = {(_LEADS, str(mutation.patch.get("lead_id")).lower()) for mutation in asked}
    return {(table, row_id) for table, row_id in rows | leads if values.is_id(row_id)}


async def _group(work: Work, group: Group, blocked: set[Key]) -> list[wire.Result]:
    """All of the group, or none of it and each parked."""
    before = work.snapshot() if len(group) > 1 else None
    results: list[wire.Result] = []
    # One mutation alone is refused before anything of it is written: no savepoint needed.
    together = work.store.savepoint() if len(group) > 1 else contextlib.nullcontext()
    try:
        async with together:
            for mutation in group:
                if key_of(mutation) in blocked:
                    raise depends()
                results.append(await apply.apply(work, _of_today(work, mutation)))
            return results
    except Refused as refused:
        if before is not None:
            work.restore(before)
        return await _refuse(work, group, refused, at=len(results))


def _of_today(work: Work, mutation: wire.Mutation) -> wire.Mutation:
    """What another release of the app said, in today's tables. Its number keeps the hash of what was said."""
    try:
        return work.lenses.raised(mutation)
    except UnmappableError as fault:
        raise Refused(fault.code, fault.message) from fault


async def _refuse(work: Work, group: Group, refused: Refused, *, at: int) -> list[wire.Result]:
    """Each parked, with the reason where it is; what must count or be known all the same is written."""
    await work.as_device()
    if refused.row is not None and refused.record is not None:
        await work.record(refused.row, refused.record)
    parked = [outcomes.parked(m, refused if i == at else None) for i, m in enumerate(group)]
    for mutation, result in zip(group, parked, strict=True):
        await keep_optout(work, mutation)
        await work.store.park(work.sender, mutation, result)
    return parked


async def _park_group(stores: Stores, arrived: _Arrived, group: Group) -> list[wire.Result]:
    """The store itself refused a value of this group. An opt-out in it counts all the same."""
    sender = arrived.sender
    results = [
        wire.Result(
            mid=mutation.mid,
            status=wire.Status.PARKED,
            code="bad_value",
            message="The server's database does not take these values.",
        )
        for mutation in group
    ]

    async def parking(store: Store) -> list[wire.Result]:
        seen = await store.claim(sender, group)
        _refuse_fork(sender, group, seen)
        await store.settle(sender, [r for r in results if r.mid not in seen])
        work = await _begin(store, arrived, group)
        for mutation, result in zip(group, results, strict=True):
            await store.park(sender, mutation, result)
            await _try(work, partial(keep_optout, work, mutation))
        await _try(work, partial(duplicates.find, work))
        return results

    try:
        return await _again(stores, parking)
    except Passing:
        return outcomes.later([group])


async def _keep_optouts(stores: Stores, arrived: _Arrived, broken: Sequence[wire.Mutation]) -> None:
    """Of changes that were not even tried, because a neighbour of their group can't be read.

    Raises: UnreachableError, so that the device sends all of it again, rather than to lose one.
    """
    said = [mutation for mutation in broken if is_optout(mutation)]

    async def keeping(store: Store) -> None:
        work = await _begin(store, arrived, said)
        for mutation in said:
            await _try(work, partial(keep_optout, work, mutation))
        await duplicates.find(work)

    if said:
        try:
            await _again(stores, keeping)
        except Passing as fault:
            raise errors.UnreachableError(
                "The server is busy.", where="server", hint="Send the same again.", retry_after=2.0
            ) from fault


async def _try(work: Work, keeping: Callable[[], Awaitable[None]]) -> None:
    try:
        async with work.store.savepoint():
            await keeping()
    except _POISON as fault:
        logger.error("push.optout_lost", extra={"fault": type(fault).__name__, "at": outcomes.where(fault)})


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
    return {key_of(mutation) for mutation in group}
