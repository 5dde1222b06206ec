"""The whole conversation of a device with its server, as it is spoken: read this page first.

Four lanes, each a generator that has at most one thing under way: it yields a request (an `Ask`) or a transaction of the
store (a `Step`), is given what came of it, and has faults thrown into it. No lane waits for another; what two lanes do at
once is safe because every step is one transaction and versions guard the rows. A lane may be dropped at any point (the app
is killed, the network goes): the store is whole, and the next run of the lane goes on from there.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

from domain import errors, wire
from storage import blobs
from sync import compare, file_steps, files, steps
from sync.effects import Ask, Step

Lane = Generator[Ask | Step, Any, None]

FIRST_PAGE = wire.PAGE
SMALLEST_PAGE = 500
AIM_SECONDS = 0.05
UNREADABLE = frozenset({"input", "bad_value"})
"""The server's codes for a push in which something can't be read (its other refusals are not about the changes)."""


@dataclass(slots=True, kw_only=True)
class Pace:
    """What the lanes learn on the way; nothing of it outlives the process.

    `took`: seconds of what a lane did last. `late`: files that the server could not take just now. `agreed`: files whose
    offset it confirmed since the last cut. `freed`: changes may go that could not before.
    """

    mutations: int = wire.MAX_MUTATIONS
    page: int = FIRST_PAGE
    chunk: int = files.FIRST_CHUNK
    metered: bool = False
    audit: bool = False
    compared: bool = False
    freed: bool = False
    took: float = 0.0
    crossing: steps.Crossing = field(default_factory=steps.Crossing)
    late: set[str] = field(default_factory=set)
    agreed: set[str] = field(default_factory=set)


def up(pace: Pace) -> Lane:
    """Changes up, batch by batch, until none waits. What the server can't read is narrowed down to the one at fault."""
    while (batch := (yield from _batch(pace))) is not None:
        try:
            answer = yield batch.push
        except errors.DeviceForkedError:
            yield steps.Fork()
            continue
        except errors.InputError as fault:
            if fault.code not in UNREADABLE:
                raise  # an address or a packing that this server doesn't know says nothing of the changes
            if batch.groups > 1:
                pace.mutations = max(1, len(batch.push.mutations) // 2)
            else:
                yield steps.Park(batch=batch, fault=fault)
            continue
        kept = yield steps.KeepAnswer(batch=batch, answer=answer, took=pace.took, crossing=pace.crossing)
        pace.mutations = min(pace.mutations * 2, wire.MAX_MUTATIONS)
        if kept.stuck:
            raise errors.ServerFaultError(
                "The server is busy.",
                where="server",
                hint="Nothing is lost: the app tries again by itself.",
            )


def _batch(pace: Pace) -> Generator[Ask | Step, Any, steps.Batch | None]:
    pace.crossing.paged.clear()
    pace.crossing.sending = True
    batch: steps.Batch | None = yield steps.TakeBatch(limit=pace.mutations)
    pace.crossing.sending = batch is not None
    return batch


def down(pace: Pace) -> Lane:
    """Pages down until there are no more. A cursor that leads nowhere starts anew; unsent work stays."""
    more, whole = True, False
    while more:
        pace.crossing.answered.clear()
        ask = yield steps.AskPage(limit=pace.page, whole=whole)
        try:
            page = yield ask
        except errors.ResyncError:
            yield steps.StartOver(cursor=ask.cursor)
            continue
        kept = yield steps.KeepPage(ask=ask, page=page, took=pace.took, crossing=pace.crossing)
        pace.page = next_limit(pace.page, kept.rows, pace.took)
        pace.freed = pace.freed or kept.freed
        more, whole = kept.more, kept.whole
    # A size that nobody has to name is the next run's; a device that is slow keeps its own.
    pace.page = min(pace.page, FIRST_PAGE)


def next_limit(limit: int, rows: int, seconds: float) -> int:
    """How many rows to ask for next, so that applying a page takes about 50 ms of the screen's thread."""
    if rows < limit / 2 or seconds <= 0:
        return limit
    fitting = int(rows * AIM_SECONDS / seconds)
    return max(SMALLEST_PAGE, min(fitting, limit * 2, wire.MAX_PAGE))


def recordings(pace: Pace) -> Lane:
    """Voice files up, part by part; after each part the smallest that waits has its turn. Rows never wait for them."""
    seen: set[str] = set()
    while (blob := (yield file_steps.NextFile(metered=pace.metered, last=frozenset(pace.late)))) is not None:
        if blob.id in seen:
            break
        try:
            yield from _part(pace, blob)
        except (errors.NotFoundError, errors.ForbiddenError) as fault:
            pace.agreed.discard(blob.id)
            pace.late.add(blob.id)
            seen.add(blob.id)  # its note may have moved: once more when a page has told
            yield file_steps.FileRefused(blob=blob, fault=fault)
        except (errors.InputError, errors.ResyncError) as fault:
            pace.agreed.discard(blob.id)  # a 410: it expired there, and begins anew
            yield file_steps.FileRefused(blob=blob, fault=fault)
        except errors.ServerFaultError:
            pace.agreed.discard(blob.id)
            pace.late.add(blob.id)  # the others don't wait behind it
            raise
        except (errors.NetworkError, errors.AccessError):
            pace.agreed.discard(blob.id)
            raise
    pace.late.clear()


def _part(pace: Pace, blob: blobs.Blob) -> Lane:
    if blob.id not in pace.agreed:
        reached = yield from _agree(blob)
        pace.agreed.add(blob.id)
    else:
        reached = yield files.Part(url=blob.url, path=blob.path, start=blob.sent, size=pace.chunk)
        pace.chunk = files.next_chunk(pace.chunk, pace.took)
    if reached.sent >= blob.size:
        pace.agreed.discard(blob.id)
    yield file_steps.FileReached(blob=blob, reached=reached)


def _agree(blob: blobs.Blob) -> Generator[Ask | Step, Any, files.Reached]:
    """Ask how far the upload came before the last cut, or begin it."""
    if blob.url:
        try:
            reached: files.Reached = yield files.Offset(url=blob.url)
            return reached
        except (errors.NotFoundError, errors.ResyncError, errors.NotOurServerError):
            pass  # the server forgot it: from the start
    yield file_steps.CheckFile(blob=blob)
    begun: files.Reached = yield files.offer(blob)
    return begun


def equal(pace: Pace) -> Lane:
    """Is what lies here what lies there? Sums by location and table; where they differ by range; there the rows."""
    due: compare.Due | None = yield compare.IsDue(asked=pace.audit, first=not pace.compared)
    if due is None:
        return
    how, differ = yield from _first_look(due)
    if differ:
        yield from down(pace)  # news that was on its way is no damage
        differ = yield from _differing(how)
    repaired, late = 0, False
    for scope, table in differ:
        said = yield wire.DigestAsk(content=how.content, scope=scope, table=table)
        found = yield compare.Ranges(scope=scope, table=table, said=said, content=how.content)
        if found.ranges:
            ask = wire.RowsAsk(scope=scope, table=table, ranges=found.ranges)
            listed = yield ask
            mended = yield compare.Repair(ask=ask, found=listed, due=how, since=found.since)
            repaired, late = repaired + (mended or 0), late or mended is None
    pace.compared, pace.audit = pace.compared or not late, pace.audit and late
    pace.freed = pace.freed or repaired > 0  # what waited for a row that came goes now
    yield compare.Remember(due=due, repaired=repaired, late=late)


Differ = list[tuple[str, str]]


def _first_look(due: compare.Due) -> Generator[Ask | Step, Any, tuple[compare.Due, Differ]]:
    """What differs. A server of another release compares no contents with ours: then ids and versions must do."""
    try:
        return due, (yield from _differing(due))
    except errors.InputError:
        if not due.content:
            raise
    how = replace(due, content=False)
    return how, (yield from _differing(how))


def _differing(due: compare.Due) -> Generator[Ask | Step, Any, Differ]:
    said = yield wire.DigestAsk(content=due.content)
    differ: Differ = yield compare.Sums(said=said, content=due.content)
    return differ
