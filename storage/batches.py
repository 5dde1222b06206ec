"""What is sent next: whole actions, urgent ones first, each row's changes in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain import wire
from storage import database, outbox, rows

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
    """Empty = nothing waits."""
    groups = in_order(_all_waiting(reads) if _is_urgent(reads) else _first_waiting(reads, limit))
    return outbox.lines(reads, [item.mid for item in cut(groups, limit=limit, max_bytes=max_bytes)])


_WAITING = " FROM outbox INDEXED BY outbox_by_row WHERE state <> 'acked' AND state <> 'parked'"
_COLUMNS = "SELECT mid, grp, tbl, row_id, urgent, length(patch) + length(base)" + _WAITING


def _is_urgent(reads: database.Reads) -> bool:
    return reads.value(f"SELECT 1 {_WAITING} AND urgent LIMIT 1") is not None


def _all_waiting(reads: database.Reads) -> list[Waiting]:
    return [_waiting(row) for row in reads.each(f"{_COLUMNS} ORDER BY mid")]


def _first_waiting(reads: database.Reads, limit: int) -> list[Waiting]:
    """The oldest, and whatever belongs to their actions: of a long queue no more is looked at than is sent."""
    oldest = f"SELECT DISTINCT grp FROM (SELECT grp {_WAITING} ORDER BY mid LIMIT ?)"  # noqa: S608 - fixed words
    members = f"{_COLUMNS} AND grp IN (SELECT value FROM json_each(?)) ORDER BY mid"  # noqa: S608
    groups = [row[0] for row in reads.each(oldest, (limit,))]
    return [_waiting(row) for row in reads.each(members, (rows.dumps(groups),))]


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
