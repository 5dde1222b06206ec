"""What a push tells of each mutation, and the log of all of them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace

from backend.services.work import Refused, Work, key_of
from backend.storage.rows import Stored
from backend.storage.store import Key
from domain import digests, wire

logger = logging.getLogger(__name__)


def later(groups: Iterable[Sequence[wire.Mutation]]) -> list[wire.Result]:
    return [
        wire.Result(mid=m.mid, status=wire.Status.RETRY, code="busy", message="Send it again in a moment.")
        for group in groups
        for m in group
    ]


def parked(mutation: wire.Mutation, refused: Refused | None) -> wire.Result:
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
        ver=refused.ver,
        code=refused.code,
        message=refused.message,
    )


def replayed(work: Work, mutation: wire.Mutation, stored: wire.Result) -> wire.Result:
    """What a repeat is told: what became of it then, and the row as it is now, if this person may see it.

    Else the row is as good as deleted for them: a row that went to another location must leave their device.
    """
    if stored.status is wire.Status.PARKED:
        return stored
    row = work.held.get(key_of(mutation))
    if row is not None and work.rights.sees(row):
        return wire.Result(mid=mutation.mid, status=wire.Status.DUPLICATE, ver=row.ver, row=row.on_wire())
    gone = wire.Row(table=mutation.table, id=mutation.row_id, ver=stored.ver, deleted=True)
    return wire.Result(mid=mutation.mid, status=wire.Status.DUPLICATE, ver=stored.ver, row=gone)


def each_row_once(results: Sequence[wire.Result]) -> list[wire.Result]:
    """A long chain of one row's changes tells the row once, as it is last: an answer stays as large as its rows.

    A row as deleted stays with each: it is small, and what is gone for this person has no version to go by.
    """
    last: dict[Key, int] = {}
    for place, result in enumerate(results):
        if (row := result.row) is not None and not row.deleted:
            before = last.get((row.table, row.id))
            if before is None or results[before].ver <= result.ver:
                last[(row.table, row.id)] = place
    kept = set(last.values())
    return [
        replace(result, row=None)
        if result.row is not None and not result.row.deleted and place not in kept
        else result
        for place, result in enumerate(results)
    ]


def done(mutation: wire.Mutation, row: Stored, *, differs: bool = False) -> wire.Result:
    """It is in. The row is told where it is not what the device has: its base with the change, in the device's own words."""
    told = differs or not _as_said(mutation, row)
    return wire.Result(
        mid=mutation.mid,
        status=wire.Status.MERGED if told else wire.Status.APPLIED,
        ver=row.ver,
        row=row.on_wire() if told else None,
    )


def _as_said(mutation: wire.Mutation, row: Stored) -> bool:
    if mutation.op is wire.Op.DELETE:
        return True
    return mutation.row_id == row.id and all(
        digests.is_alike(row.table.by_name[name], value, row.values[name])
        for name, value in mutation.patch.items()
    )


def where(fault: BaseException) -> str:
    """File and line, without the message: that may hold what a person typed."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


def log(results: Sequence[wire.Result]) -> None:
    counts = {status.value: 0 for status in wire.Status}
    for result in results:
        counts[result.status.value] += 1
    logger.info("push", extra={name: count for name, count in counts.items() if count})
