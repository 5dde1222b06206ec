"""What is sent next: whole actions, urgent ones first, each row's changes in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain import wire
from storage import database, outbox

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
    found = reads.rows(
        "SELECT mid, grp, tbl, row_id, urgent, length(patch) + length(base) AS size"
        " FROM outbox INDEXED BY outbox_by_row"
        " WHERE state <> 'acked' AND state <> 'parked' ORDER BY mid"
    )
    waiting = [
        Waiting(
            mid=row["mid"],
            group=row["grp"],
            row=(row["tbl"], row["row_id"]),
            urgent=bool(row["urgent"]),
            size=row["size"] + ENVELOPE,
        )
        for row in found
    ]
    return outbox.lines(
        reads, [item.mid for item in cut(in_order(waiting), limit=limit, max_bytes=max_bytes)]
    )


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
    rows = {item.row for item in groups[name]}
    for earlier in reversed(order[: order.index(name)]):
        if any(item.row in rows for item in groups[earlier]):
            wanted.add(earlier)
            rows |= {item.row for item in groups[earlier]}
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
