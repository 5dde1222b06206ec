"""What the lanes do to the store: each step is one transaction, or one look. After any of them the app may be killed."""

from __future__ import annotations

import logging
from collections.abc import Set
from dataclasses import dataclass, field, replace

from domain import errors, wire
from storage import (
    agreed,
    batches,
    changed,
    cursor,
    doomed,
    events,
    outbox,
    outbox_writes,
    pulled,
    pushed,
    scopes,
)
from sync import answers
from sync.effects import Device

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is sent in one push."""

    push: wire.Push
    incarnation: str = ""
    """The life of the server's database that was known when it was sent."""

    @property
    def groups(self) -> int:
        """How many parts it could be split into: a change without a group stands alone."""
        return len({one.group or one.mid for one in self.push.mutations})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one push did. `stuck`: nothing went through now, so asking at once again is no use."""

    safe: int = 0
    parked: int = 0
    stuck: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a page brought, and whether there is more. `freed`: changes may go now that could not before. `whole`: ask
    for it again with whole rows."""

    rows: int
    more: bool
    freed: bool = False
    whole: bool = False


Row = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Crossing:
    """Rows that an answer (since a page was asked for) or a page (since a batch was taken) was about.

    Two messages about one row that cross on the way say nothing of which is the later: the older one is asked for again.
    """

    answered: set[Row] = field(default_factory=set)
    paged: set[Row] = field(default_factory=set)
    sending: bool = False
    """A batch may be under way: only then it matters what pages are about, which for a first load is every row."""

    def about(self, page: wire.Page) -> Set[Row]:
        return _rows_of(page) if self.sending or self.answered else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBatch:
    """The next batch, marked as under way; None = nothing waits."""

    limit: int

    def run(self, device: Device) -> Batch | None:
        with device.db.write_tx() as tx:
            lines = batches.take(tx, limit=self.limit, **clocks(device))
            if not lines:
                return None
            name = cursor.device(tx)
            life = cursor.place(tx).incarnation
        mutations = [line.mutation for line in lines]
        push = wire.Push(device_id=name.id, epoch=name.epoch, mutations=mutations)
        return Batch(push=push, incarnation=life)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAnswer:
    """The answer to a batch; `took`: seconds from sending to hearing. What a page crossed is sent, and answered, again."""

    batch: Batch
    answer: wire.PushAnswer
    took: float = 0.0
    crossing: Crossing = field(default_factory=Crossing)

    def run(self, device: Device) -> Sent:
        mutations = self.batch.push.mutations
        crossed = {one.mid for one in mutations if (one.table, one.row_id) in self.crossing.paged}
        results = [one for one in self.answer.results if one.mid not in crossed]
        with device.db.write_tx() as tx:
            if cursor.device(tx).epoch != self.batch.push.epoch:
                return Sent()  # renumbered meanwhile: these numbers name other changes now
            known = cursor.place(tx).incarnation
            if known not in (self.batch.incarnation, self.answer.incarnation):
                return Sent()  # of a life of the database that is over: what it called safe may be lost
            if known and self.answer.incarnation != known:
                # A restored backup: it may lack what an earlier answer called safe; what this one says counts.
                scopes.meet_again(tx)
                cursor.put(tx, incarnation=self.answer.incarnation)
                events.add(tx, "push.new_incarnation", level="warning", at=device.clock.now())
            said = replace(self.answer, results=results)
            outcome = pushed.apply(tx, mutations, said, **clocks(device, self.took))
            doomed.add(tx, outcome.files)
            self.crossing.answered |= {(one.table, one.row_id) for one in mutations}
        doomed.sweep(device.db)
        logger.info(
            "sync.pushed", extra={"safe": outcome.safe, "parked": outcome.parked, "again": outcome.again}
        )
        stuck = not (outcome.safe or outcome.parked or crossed)
        return Sent(safe=outcome.safe, parked=outcome.parked, stuck=stuck)


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """The server can't read this batch, and it can't be split: it waits for a person."""

    batch: Batch
    fault: errors.InputError

    def run(self, device: Device) -> None:
        with device.db.write_tx() as tx:
            for mutation in self.batch.push.mutations:
                outbox_writes.mark_parked(tx, mutation.mid, code=self.fault.code, message=self.fault.message)
            events.add(tx, "push.refused", level="error", at=device.clock.now(), code=self.fault.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """This store is a copy of another device's: a new name, new numbers, nothing is thrown away."""

    def run(self, device: Device) -> None:
        with device.db.write_tx() as tx:
            cursor.new_device(tx)
            outbox_writes.renumber(tx)
            events.add(tx, "push.device_forked", level="warning", at=device.clock.now())
        logger.warning("sync.device_forked")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPage:
    """From where to go on reading, and what waits here, which the server lists for its operators. `whole`: no row is to
    come as what changed in it."""

    limit: int
    whole: bool = False

    def run(self, device: Device) -> wire.PullAsk:
        counts, place = outbox.counts(device.db), cursor.place(device.db)
        if not place.cursor:
            with device.db.write_tx() as tx:
                scopes.start_over(tx)  # what was confirmed by now may be deleted before the load begins
        return wire.PullAsk(
            cursor=place.cursor,
            limit=self.limit,
            device_id=cursor.device(device.db).id,
            # Until both sides agree again, a version of another life of the server says nothing of what is in the row.
            changes=not (self.whole or agreed.wanted(device.db)),
            pending=counts.pending,
            parked=counts.parked,
            oldest_ms=(outbox.oldest_ms(device.db) or 0) if counts.pending else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPage:
    """A page and its cursor; one that doesn't go on from where the store is now, or that an answer crossed, is dropped."""

    ask: wire.PullAsk
    page: wire.Page
    took: float = 0.0
    crossing: Crossing = field(default_factory=Crossing)

    def run(self, device: Device) -> Kept:
        try:
            return self._keep(device)
        except changed.GapError as gap:
            with device.db.write_tx() as tx:
                now = device.clock.now()
                events.add(tx, "pull.gap", level="warning", at=now, table=gap.table, id=gap.row_id)
            return Kept(rows=0, more=True, whole=True)

    def _keep(self, device: Device) -> Kept:
        page = self.page
        with device.db.write_tx() as tx:
            known = cursor.place(tx)
            about = self.crossing.about(page)
            if known.cursor != self.ask.cursor or not about.isdisjoint(self.crossing.answered):
                # Started over meanwhile, or older than what a push was answered.
                return Kept(rows=0, more=True)
            if page.more and page.cursor == known.cursor:
                raise answers.not_ours("a page that leads nowhere")
            if known.incarnation and page.incarnation not in ("", known.incarnation):
                scopes.meet_again(tx)
                events.add(tx, "pull.new_incarnation", level="warning", at=device.clock.now())
                cursor.put(tx, incarnation=page.incarnation)
                return Kept(rows=0, more=True, freed=True)  # it goes on from a position of the old one
            applied = pulled.apply(tx, page, **clocks(device, self.took))
            doomed.add(tx, applied.files)
            self.crossing.paged |= about
        doomed.sweep(device.db)
        if applied.scrub or not (page.more or known.first_complete):
            device.db.scrub()  # after a lost location; and a first load leaves a log as large as itself
        logger.info("sync.pulled", extra={"rows": applied.rows, "removed": applied.removed})
        # What waited for a row of this page goes now, not when the app looks by itself.
        return Kept(rows=applied.rows, more=page.more, freed="outbox" in tx.touched)


def _rows_of(page: wire.Page) -> set[Row]:
    listed = {(block.table, str(row[0])) for block in page.blocks for row in block.rows}
    listed |= {(change.table, change.id) for change in page.changes}
    return listed | {(table, row_id) for table, row_id in page.removed}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOver:
    """`cursor` leads nowhere (any more). Raises: ServerFaultError when the server refuses even an empty one."""

    cursor: str

    def run(self, device: Device) -> None:
        if self.cursor in ("", wire.FROM_NOW):
            raise errors.ServerFaultError(
                "The server refuses even a first sync.", where="cursor", hint="Tell the administrator."
            )
        with device.db.write_tx() as tx:
            if cursor.place(tx).cursor != self.cursor:
                return
            scopes.go_on_from_now(tx)
            events.add(tx, "pull.start_over", level="warning", at=device.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A failure into the diary that a person can export."""

    fault: errors.JorgeError

    def run(self, device: Device) -> None:
        with device.db.write_tx() as tx:
            events.add(tx, "sync.failed", level="warning", at=device.clock.now(), code=self.fault.code)


def clocks(device: Device, took: float = 0.0) -> dict[str, int]:
    """Our clocks now, or in the middle of a request: when the server's was read, as nearly as can be known."""
    seconds = {"now_ms": device.clock.now().timestamp(), "mono_ms": device.clock.monotonic()}
    return {name: round((at - took / 2) * 1000) for name, at in seconds.items()}
