"""The usual answer, in few statements: a row's unsent changes were all applied as they were meant.

What the person sees is then what the server has: the row keeps its values and takes the new version, its base goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain import tables, wire
from storage import database, rows

_Row = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A row's changes that have no answer yet, the version of its base, and whether the person sees it."""

    unsent: int
    base_ver: int
    shown: bool


def confirm(
    tx: database.Transaction,
    sent: Sequence[wire.Mutation],
    results: Mapping[int, wire.Result],
    *,
    now_ms: int,
) -> Collection[int]:
    """Settle the rows of which nothing else is to be said; the mids that are done with it."""
    answered = _plainly_answered(sent, results)
    known = _known(tx, answered)
    gone = {(one.table, one.row_id) for one in sent if one.op is wire.Op.DELETE}
    whole = {
        row: vers
        for row, vers in answered.items()
        # A row that vanished with its location, which has come back since, is made anew from what was sent.
        if row in known and (known[row].shown or row in gone) and _is_whole(known[row], vers)
    }
    _settle(tx, whole)
    done = {mid for vers in whole.values() for mid in vers}
    tx.executemany(
        "UPDATE outbox SET state = 'acked', acked_ms = ?, code = '', message = '' WHERE mid = ?",
        [(now_ms, mid) for mid in done],
    )
    return done


def _plainly_answered(
    sent: Iterable[wire.Mutation], results: Mapping[int, wire.Result]
) -> dict[_Row, dict[int, int]]:
    """Version by mid, of rows all of whose changes that were sent are plainly applied."""
    found: dict[_Row, dict[int, int]] = {}
    unclear: set[_Row] = set()
    for mutation in sent:
        row, result = (mutation.table, mutation.row_id), results.get(mutation.mid)
        if result is None or not result.is_plain:
            unclear.add(row)
        else:
            found.setdefault(row, {})[mutation.mid] = result.ver
    return {row: vers for row, vers in found.items() if row not in unclear}


def _known(tx: database.Transaction, wanted: Collection[_Row]) -> dict[_Row, _Known]:
    by_table: dict[str, list[str]] = {}
    for table, row_id in wanted:
        by_table.setdefault(table, []).append(row_id)
    return {
        (table, row_id): _Known(unsent=unsent, base_ver=ver, shown=bool(shown))
        for table, some in by_table.items()
        for row_id, ver, unsent, shown in tx.each(_KNOWN.format(table), (table, rows.dumps(some)))
    }


_KNOWN = (
    "SELECT s.id, s.ver, (SELECT count(*) FROM outbox AS o WHERE o.tbl = s.tbl AND o.row_id = s.id AND o.state <> 'acked'),"
    " EXISTS (SELECT 1 FROM {} WHERE id = s.id)"
    " FROM json_each(?2) AS j CROSS JOIN shadow AS s ON s.tbl = ?1 AND s.id = j.value"
)


def _is_whole(known: _Known, vers: Mapping[int, int]) -> bool:
    """Nothing of the row waits beside these, and no newer row has come meanwhile."""
    return known.unsent == len(vers) and min(vers.values()) > known.base_ver


def _settle(tx: database.Transaction, whole: Mapping[_Row, Mapping[int, int]]) -> None:
    by_table: dict[str, list[tuple[int, str]]] = {}
    for (table, row_id), vers in whole.items():
        by_table.setdefault(table, []).append((max(vers.values()), row_id))
    for table, fresh in by_table.items():
        tx.executemany(f"UPDATE {tables.BY_NAME[table].name} SET _ver = ? WHERE id = ?", fresh)  # noqa: S608
        tx.executemany(
            "DELETE FROM shadow WHERE tbl = ? AND id = ?", [(table, row_id) for _, row_id in fresh]
        )
        tx.touch(table)
