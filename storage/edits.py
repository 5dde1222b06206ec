"""Every change a person makes: row, base, outbox line and search index in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from domain import errors, ids, tables, values, wire
from domain.tables import Policy
from storage import cursor, database, outbox, outbox_order, outbox_writes, rebase, rows, search_index

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A row (version and values, None = no such row) as it was after `at` written rows."""

    at: int
    row: tuple[int, Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One action of a person: all its changes reach the server together or not at all."""

    tx: database.Transaction
    now: datetime
    group: str
    edit_ms: int
    seen_server_ms: int
    mono_ms: int | None = None
    changes: Iterator[int] = field(default_factory=lambda: count(1), repr=False, compare=False)
    seen: dict[_Key, _Seen] = field(default_factory=dict, repr=False, compare=False)

    def put(self, table: str, row_id: str, row: Mapping[str, Any]) -> None:
        """Make a row. `created_at` is filled in. Raises: InputError, RuleError."""
        known = _table(table)
        full = {"created_at": values.time_text(self.now), **row}
        values.check_values(known, full)
        full = values.canonical(known, full)
        for column in known.fields:
            if column.required and full.get(column.name) is None:
                raise errors.InputError(f"{column.name} must not be empty.", where=f"{table}.{column.name}")
        if self._seen(known, row_id) is not None:
            raise errors.RuleError(f"This row of {table} is there already.", where=f"{table}.id")
        patch = {name: value for name, value in full.items() if value is not None}
        self._write(known, row_id, wire.Op.PUT, patch)

    def patch(self, table: str, row_id: str, changes: Mapping[str, Any]) -> bool:
        """Change fields; False when they hold these values already (nothing is written then).

        Raises: NotFoundError, InputError, RuleError.
        """
        known = _table(table)
        if known.append_only:
            raise errors.RuleError(f"What is in {table} can't be changed.", where=table)
        current = self._current(known, row_id)
        # A form gives what it shows: a value that a former release took is no reason against the others.
        new = {
            name: value for name, value in changes.items() if name not in current or current[name] != value
        }
        values.check_values(known, new)
        changed = {n: value for n, value in values.canonical(known, new).items() if current.get(n) != value}
        for name in changed:
            if known.by_name[name].policy is Policy.FIXED:
                raise errors.RuleError(f"{name} can't be changed afterwards.", where=f"{table}.{name}")
        if not changed:
            return False
        self._write(known, row_id, wire.Op.PATCH, changed, current)
        return True

    def delete(self, table: str, row_id: str) -> None:
        """Raises: NotFoundError, RuleError."""
        known = _table(table)
        if known.append_only:
            raise errors.RuleError(f"What is in {table} can't be deleted.", where=table)
        self._write(known, row_id, wire.Op.DELETE, {}, self._current(known, row_id))

    def restore(self, *mids: int) -> None:
        """Bring back rows that somebody deleted, with these parked changes and what waits for them upon the rows.

        Raises: NotFoundError.
        """
        chosen = {line.mid: line for line in outbox.lines(self.tx, mids) if _is_parked_patch(line)}
        if missing := set(mids) - chosen.keys():
            raise errors.NotFoundError(
                "This change is not waiting for a decision.", where=f"outbox {min(missing)}"
            )
        for row in {line.row for line in chosen.values()}:
            first = min(line.mid for line in chosen.values() if line.row == row)
            behind = (line for line in outbox.of_row(self.tx, *row) if line.mid > first)
            chosen |= {
                line.mid: line for line in behind if _is_parked_patch(line) and line.code == outbox.BLOCKED
            }
        outbox_writes.drop(self.tx, chosen)
        for _, line in sorted(chosen.items()):
            table, row_id = line.row
            there = self.row(_table(table), row_id)  # somebody else brought it back already
            self._write(_table(table), row_id, wire.Op.PUT, line.mutation.patch, there)
        outbox_order.settle(self.tx, {line.row for line in chosen.values()})

    def row(self, table: tables.Table, row_id: str) -> dict[str, Any] | None:
        """A row as this action sees it; not read again while nothing is written."""
        found = self._seen(table, row_id)
        return None if found is None else dict(found[1])

    def _seen(self, table: tables.Table, row_id: str) -> tuple[int, Mapping[str, Any]] | None:
        key = table.name, row_id
        known = self.seen.get(key)
        if known is None or known.at != self.tx.changes:
            known = self.seen[key] = _Seen(at=self.tx.changes, row=rows.get(self.tx, table, row_id))
        return known.row

    def _current(self, table: tables.Table, row_id: str) -> Mapping[str, Any]:
        found = self._seen(table, row_id)
        if found is None:
            raise errors.NotFoundError(
                "This entry is not on this device (any more).",
                where=f"{table.name} {row_id}",
                hint="Go back and open it from the list again.",
            )
        return found[1]

    def _write(
        self,
        table: tables.Table,
        row_id: str,
        op: wire.Op,
        patch: Mapping[str, Any],
        current: Mapping[str, Any] | None = None,
    ) -> None:
        """The outbox line, the base that it stands on, and the row as it is shown now."""
        if next(self.changes) > wire.MAX_MUTATIONS:
            raise errors.RuleError(
                f"This would change more than {wire.MAX_MUTATIONS} entries in one go.",
                where=table.name,
                hint="Nothing was changed. Do it in smaller parts.",
            )
        ver, is_first = rebase.keep_seen(self.tx, table, row_id, self._seen(table, row_id))
        earlier = [] if is_first else outbox.of_row(self.tx, table.name, row_id)
        units = {table.by_name[name].unit for name in patch} if op is wire.Op.PATCH else set()
        mutation = wire.Mutation(
            mid=0,
            group=self.group,
            table=table.name,
            row_id=row_id,
            op=op,
            patch=patch,
            base_ver=max(0, min([ver, *_unseen_vers(earlier, units)])),
            base={name: (current or {}).get(name) for unit in units for name in table.unit_fields(unit)},
            edit_ms=self.edit_ms,
            seen_server_ms=self.seen_server_ms,
        )
        urgent = _is_urgent(table, patch)
        mid = outbox_writes.add(self.tx, mutation, earlier=earlier, urgent=urgent, mono_ms=self.mono_ms)
        rebase.show(self.tx, table, row_id, ver, rebase.step(table, current, mutation), before=current)
        if mid % search_index.OFTEN == 0:
            search_index.catch_up(self.tx)


def _is_parked_patch(line: outbox.Line) -> bool:
    return line.state is outbox.State.PARKED and line.mutation.op is wire.Op.PATCH


def _unseen_vers(earlier: Sequence[outbox.Line], units: set[str]) -> list[int]:
    """Versions that earlier unsent changes of the same units were based on.

    The person looks at their own waiting value, so they have not seen what others wrote since then.
    """
    return [
        line.mutation.base_ver
        for line in earlier
        if line.mutation.op is wire.Op.PATCH and units & outbox.units(line.mutation)
    ]


def start(tx: database.Transaction, now: datetime, monotonic: float | None = None) -> Edit:
    """The beginning of an action. `now` and `monotonic` come from the Clock; the server's time is worked out from them."""
    clock = cursor.clock(tx)
    mono_ms = None if monotonic is None else round(monotonic * 1000)
    return Edit(
        tx=tx,
        now=now,
        group=ids.new_id(),
        edit_ms=clock.server_ms(tx.session, now_ms=round(now.timestamp() * 1000), mono_ms=mono_ms),
        mono_ms=mono_ms,
        seen_server_ms=clock.seen_ms,
    )


def _is_urgent(table: tables.Table, patch: Mapping[str, Any]) -> bool:
    """An opt-out is sent before anything else."""
    return any(
        value is True and table.by_name[name].policy is Policy.STICKY
        for name, value in patch.items()
        if name in table.by_name
    )


def _table(name: str) -> tables.Table:
    try:
        return tables.BY_NAME[name]
    except KeyError:
        raise errors.InputError(f"There is no table {name!r}.", where=name) from None
