"""What is sent next: whole actions, urgent ones first, each row's changes in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain import wire
from storage import cursor, database, outbox, outbox_writes, rows

MAX_BYTES = 256 * 1024
ENVELOPE = 400
"""Bytes of a change on the wire besides its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """As much of a waiting change as it takes to put it in its place."""

    mid: int
    group: str
    row: tuple[str, str]
    urgent: bool
    size: int


def next_batch(
    reads: database.Reads, *, limit: int = wire.MAX_MUTATIONS, max_bytes: int = MAX_BYTES
) -> list[outbox.Line]:
    """Empty = nothing waits. An action of which something can't be read is passed over: `take` parks it."""
    return _batch(reads, limit=limit, max_bytes=max_bytes)[0]


def _batch(
    reads: database.Reads, *, limit: int, max_bytes: int = MAX_BYTES
) -> tuple[list[outbox.Line], frozenset[str]]:
    """The next lines, and the groups that were passed over."""
    damaged: frozenset[str] = frozenset()
    while True:
        waiting = _all_waiting(reads, damaged) if _is_urgent(reads) else _first_waiting(reads, damaged, limit)
        batch = cut(in_order(waiting), limit=limit, max_bytes=max_bytes)
        lines = outbox.lines(reads, [item.mid for item in batch])
        found = {line.group for line in lines if line.code == outbox.UNREADABLE}
        if not found:
            return lines, damaged
        damaged |= found


def take(
    tx: database.Transaction, *, limit: int = wire.MAX_MUTATIONS, now_ms: int, mono_ms: int | None = None
) -> list[outbox.Line]:
    """The next batch, marked as under way. `now_ms`, `mono_ms`: our clocks.

    A change that is sent for the first time gets its time by what is known of the clocks now: the wall clock may have
    been put right since it was made, or the server met for the first time in this run.
    """
    lines, damaged = _batch(tx, limit=limit)
    if damaged:
        outbox_writes.park_unreadable(tx)
        lines = next_batch(tx, limit=limit)  # without what builds on them
    mids = [line.mid for line in lines]
    timed = 0
    if mono_ms is not None:
        server_ms = cursor.clock(tx).server_ms(tx.session, now_ms=now_ms, mono_ms=mono_ms)
        timed = tx.executemany(_TIMED, [(server_ms - mono_ms, mid, tx.session) for mid in mids])
    outbox_writes.mark_inflight(tx, mids)
    return outbox.lines(tx, mids) if timed else lines


_TIMED = (  # a second and more: less is the network's delay
    "UPDATE outbox SET edit_ms = boot_ms + ?1 WHERE mid = ?2 AND boot_id = ?3 AND attempts = 0"
    " AND abs(edit_ms - boot_ms - ?1) >= 1000"
)
# In the order of their numbers, from the first that is not confirmed: an index in that order would be paid for by each write.
_WAITING = (
    " FROM outbox NOT INDEXED"
    " WHERE mid >= (SELECT min(mid) FROM outbox INDEXED BY outbox_by_row WHERE state <> 'acked')"
    " AND state <> 'acked' AND state <> 'parked'"
)
_COLUMNS = "SELECT mid, grp, tbl, row_id, urgent, length(patch) + length(base)" + _WAITING


def _is_urgent(reads: database.Reads) -> bool:
    return reads.value(f"SELECT 1 {_WAITING} AND urgent LIMIT 1") is not None


def _all_waiting(reads: database.Reads, damaged: frozenset[str]) -> list[Waiting]:
    found = (_waiting(row) for row in reads.each(f"{_COLUMNS} ORDER BY mid"))
    return [item for item in found if item.group not in damaged]


def _first_waiting(reads: database.Reads, damaged: frozenset[str], limit: int) -> list[Waiting]:
    """The oldest, and whatever belongs to their actions: of a long queue no more is looked at than is sent."""
    oldest = f"SELECT DISTINCT grp FROM (SELECT grp {_WAITING} ORDER BY mid LIMIT ?)"  # noqa: S608 - fixed words
    members = f"{_COLUMNS} AND grp IN (SELECT value FROM json_each(?)) ORDER BY mid"  # noqa: S608
    groups = [row[0] for row in reads.each(oldest, (limit + len(damaged) * wire.MAX_MUTATIONS,))]
    found = (_waiting(row) for row in reads.each(members, (rows.dumps(groups),)))
    return [item for item in found if item.group not in damaged]


def _waiting(row: tuple[Any, ...]) -> Waiting:
    mid, group, table, row_id, urgent, size = row
    return Waiting(mid=mid, group=group, row=(table, row_id), urgent=bool(urgent), size=size + ENVELOPE)


def in_order(waiting: Sequence[Waiting]) -> list[list[Waiting]]:
    """Groups in sending order: an urgent one with all that its rows wait for comes first."""
    groups: dict[str, list[Waiting]] = {}
    for item in waiting:
        groups.setdefault(item.group, []).append(item)
    ahead: dict[str, None] = {}
    for name, members in groups.items():
        if any(item.urgent for item in members):
            ahead |= dict.fromkeys(_needs(name, groups))
    return [groups[name] for name in (*ahead, *(name for name in groups if name not in ahead))]


def _needs(name: str, groups: Mapping[str, list[Waiting]]) -> list[str]:
    """`name` and the earlier groups that touch its rows (and theirs), in order."""
    wanted, order = {name}, list(groups)
    touched = {item.row for item in groups[name]}
    for earlier in reversed(order[: order.index(name)]):
        if any(item.row in touched for item in groups[earlier]):
            wanted.add(earlier)
            touched |= {item.row for item in groups[earlier]}
    return [group for group in order if group in wanted]


def cut(groups: Iterable[Sequence[Waiting]], *, limit: int, max_bytes: int) -> list[Waiting]:
    """As many whole groups as fit; the first one always."""
    batch: list[Waiting] = []
    size = 0
    for group in groups:
        size += sum(item.size for item in group)
        if batch and (len(batch) + len(group) > limit or size > max_bytes):
            break
        batch += group
    return batch
