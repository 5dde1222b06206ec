"""What waits for what: a change goes after those that it builds on, an action goes whole, numbers follow that order.

A change builds on an earlier one of its row that made or deleted it, or that touches the same merge unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from domain import wire
from storage import database, outbox, rows
from storage.outbox import Line, State

_Row = tuple[str, str]
CAME_BACK = "came_back"
"""The mark of a change that was under way while its row came (back): what it is answered may be older than that."""
_Mids = frozenset[int]
_OWN = (outbox.BLOCKED, outbox.ORPHANED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`hold`: parked until others went. `renumber`: take new numbers, in this order; `go`: those of them that are sent."""

    hold: Sequence[int]
    go: Sequence[int]
    renumber: Sequence[int]


@dataclass(slots=True)
class _Touched:
    """What some changes touch: rows, units of them, and rows that they make or delete."""

    units: dict[_Row, set[str]] = field(default_factory=dict)
    whole: set[_Row] = field(default_factory=set)

    def add(self, line: Line) -> None:
        self.units.setdefault(line.row, set()).update(outbox.units(line.mutation))
        if line.mutation.op is not wire.Op.PATCH:
            self.whole.add(line.row)

    def meets(self, line: Line) -> bool:
        """One of them and `line` must keep their order."""
        units = self.units.get(line.row)
        if units is None:
            return False
        alone = line.mutation.op is wire.Op.PATCH and line.row not in self.whole
        return not alone or not units.isdisjoint(outbox.units(line.mutation))


def plan(lines: Sequence[Line], wanted: Collection[int] = ()) -> Plan:
    """What is to be done with unconfirmed changes, given in order. `wanted`: parked ones that shall go (again).

    One whose number may be known to the server (it was sent, and not refused) keeps it, and those that would overtake it
    wait until it is answered.
    """
    everything, bound = _mids(lines), _mids(line for line in lines if may_be_known(line))
    parked = _mids(line for line in lines if line.state is State.PARKED)
    inflight = _mids(line for line in lines if line.state is State.INFLIGHT)
    still = everything - inflight
    refused = _mids(_refused(lines, wanted))
    refused |= _mids(line for line in lines if _is_orphan(line, wanted)) - _held(lines, refused, still)
    waiting: _Mids = frozenset()
    while True:
        held = _held(lines, refused, still) | _held(lines, waiting, everything - bound)
        held -= refused
        moved = _spread(lines, parked - refused - held, everything - refused - held)
        after = _spread(lines, moved, everything)  # with what stays parked and builds on it
        behind = _spread(lines[::-1], moved & bound | after & inflight, after) & moved & parked
        if not behind:
            break
        waiting |= behind
    known = _mids(line for line in lines if line.state is State.PARKED and line.code == outbox.BLOCKED)
    return Plan(hold=sorted(held - known), go=sorted(moved), renumber=sorted(after - inflight))


def _refused(lines: Iterable[Line], wanted: Collection[int]) -> Iterable[Line]:
    return (
        line
        for line in lines
        if line.state is State.PARKED and line.code not in _OWN and line.mid not in wanted
    )


def _is_orphan(line: Line, wanted: Collection[int]) -> bool:
    return line.state is State.PARKED and line.code == outbox.ORPHANED and line.mid not in wanted


def may_be_known(line: Line) -> bool:
    """It was sent, and not refused: the server may have it under its number."""
    return line.state is State.INFLIGHT or (line.state is State.PENDING and line.attempts > 0)


def _held(lines: Sequence[Line], by: _Mids, among: _Mids) -> _Mids:
    """`by`, and whatever of `among` waits with it. An opt-out waits for nothing but its own row, whatever else its action does."""
    urgent = frozenset(line.group for line in lines if line.urgent)
    return _spread(lines, by, among, loose=urgent)


def _spread(
    lines: Sequence[Line], seed: _Mids, among: _Mids, *, loose: frozenset[str] = frozenset()
) -> _Mids:
    """`seed`, what of `among` builds on it, and the rest of their actions, but for those that are `loose`.

    With the lines in reverse: what it builds on.
    """
    found, before = seed, -1
    while len(found) != before:
        before = len(found)
        groups = {line.group for line in lines if line.mid in found} - loose - {""}
        touched, more = _Touched(), set[int]()
        for line in lines:
            if line.mid in found or (line.mid in among and (line.group in groups or touched.meets(line))):
                touched.add(line)
                more.add(line.mid)
        found = frozenset(more)
    return found


def _mids(lines: Iterable[Line]) -> _Mids:
    return frozenset(line.mid for line in lines)


def settle(tx: database.Transaction, some: Iterable[_Row] = (), *, wanted: Collection[int] = ()) -> None:
    """Bring numbers and marks in line, after the changes of these rows, or any that others wait for, became something else."""
    if outbox.counts(tx).parked == 0:
        return
    todo = plan(outbox.lines(tx, _connected(tx, frozenset(some))), wanted)
    tx.executemany(_HOLD, [(outbox.BLOCKED, mid) for mid in todo.hold])
    fresh = {mid: _next_mid(tx) for mid in todo.renumber}
    tx.executemany(_RENUMBER, [(new, mid) for mid, new in fresh.items()])
    tx.executemany(_GO, [(fresh[mid],) for mid in todo.go])
    if todo.hold or todo.go:
        tx.touch("outbox")


_HOLD = "UPDATE outbox SET state = 'parked', code = ?, message = '' WHERE mid = ?"
FRESH = "attempts = 0, boot_id = CASE WHEN attempts = 0 THEN boot_id ELSE '' END"
"""SQL: nobody was told of its number yet; its time stays what it was when it was sent first."""
_RENUMBER = "UPDATE outbox SET mid = ? WHERE mid = ?"
_GO = f"UPDATE outbox SET state = 'pending', code = '', message = '', {FRESH} WHERE mid = ?"  # noqa: S608


def _next_mid(tx: database.Transaction) -> int:
    """A number that was never used, as AUTOINCREMENT would give it."""
    tx.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'outbox'")
    return int(tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"))


def _connected(tx: database.Transaction, some: Collection[_Row]) -> list[int]:
    """Unconfirmed changes of these rows and those that wait for others, with all that share a row or an action with them."""
    of: dict[_Row | str, list[tuple[int, _Row, str]]] = {}
    todo: set[_Row | str] = set(some)
    for mid, group, table, row_id, waits in tx.each(_UNSENT, (outbox.BLOCKED,)):
        row = (table, row_id)
        for key in (row, group) if group else (row,):
            of.setdefault(key, []).append((mid, row, group))
        if waits:
            todo.add(row)
    found, seen = set[int](), set[_Row | str]()
    while todo:
        key = todo.pop()
        seen.add(key)
        for mid, row, group in of.get(key, ()):
            found.add(mid)
            near: set[_Row | str] = {row, group}
            todo |= near - seen
    return sorted(found)


_UNSENT = (
    "SELECT mid, grp, tbl, row_id, state = 'parked' AND code = ? FROM outbox INDEXED BY outbox_by_row"
    " WHERE state <> 'acked'"
)


def send_again(tx: database.Transaction, lines: Iterable[Line]) -> None:
    """Parked changes go under new numbers, each with its whole action, and with what waits for them."""
    chosen = list(lines)
    groups = rows.dumps([line.group for line in chosen if line.group])
    mates = {mid for (mid,) in tx.each(_PARKED_OF, (groups,))}
    settle(tx, {line.row for line in chosen}, wanted=mates | {line.mid for line in chosen})


_PARKED_OF = (
    "SELECT mid FROM outbox INDEXED BY outbox_parked WHERE state = 'parked'"
    " AND grp IN (SELECT value FROM json_each(?))"
)


def row_came(tx: database.Transaction, table: str, row_id: str) -> None:
    """The server's row is there (again): what was refused for its absence goes once more, by itself.

    Where the server refuses it all the same it stays parked: the row is there, so it does not come.
    """
    lines = outbox.of_row(tx, table, row_id)
    tx.executemany(_MARK, [(CAME_BACK, line.mid) for line in lines if may_be_known(line)])
    lost = [line for line in lines if line.state is State.PARKED and line.code == outbox.NOT_FOUND]
    if lost:
        send_again(tx, lost)


_MARK = "UPDATE outbox SET code = ? WHERE mid = ?"
