"""A conflict as a person decides it: both values, by whom, when; one tap keeps or restores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import errors, tables, values
from services import lead_changes
from services.desk import Desk
from storage import conflicts, edits, leads, people


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictField:
    """One field of the unit that two people changed: before, what stands now, and what lost."""

    name: str
    base: object
    winner: object
    loser: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictItem:
    """Two versions of one unit. `mine_won`: True, False, or None where neither version is this person's."""

    id: str
    table: str
    row_id: str
    lead_id: str
    lead_name: str
    unit: str
    policy: str
    fields: tuple[ConflictField, ...]
    winner_by: str
    winner_at: datetime | None
    loser_by: str
    loser_at: datetime | None
    mine_won: bool | None
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """What two people changed at once, and what is decided."""

    desk: Desk

    def open_ones(self, *, limit: int = 100) -> tuple[ConflictItem, ...]:
        """Not decided yet, the oldest first."""
        return self._items(conflicts.open_conflicts(self.desk.db, limit=limit))

    def of_row(self, table: str, row_id: str, *, open_only: bool = True) -> tuple[ConflictItem, ...]:
        """Of one row, newest first."""
        found = conflicts.of_row(self.desk.db, table, row_id)
        return self._items([item for item in found if item.status == "open" or not open_only])

    def get(self, conflict_id: str) -> ConflictItem:
        """Decided or not. Raises: NotFoundError."""
        return self._item_of(conflict_id)

    def keep_winner(self, conflict_id: str) -> None:
        """What stands now stays; the other version stays in the history. Raises: NotFoundError, RuleError."""
        with self.desk.action() as edit:
            self._close(edit, self._open(edit, conflict_id), "kept")

    def restore_loser(self, conflict_id: str) -> None:
        """The version that lost is written again, as a whole. Raises: NotFoundError, RuleError, ForbiddenError."""
        with self.desk.action() as edit:
            found = self._open(edit, conflict_id)
            self._check_writer(found.tbl)
            self._write(edit, found, found.loser or {})
            self._close(edit, found, "restored")

    def keep_mine(self, conflict_id: str) -> None:
        """This person's version, whether it won or lost. Raises: NotFoundError, RuleError, ForbiddenError."""
        item = self._item_of(conflict_id)
        if item.mine_won is None:
            raise errors.RuleError(
                "Neither version is yours.",
                where="conflict",
                hint="Choose by name which of the two is right.",
            )
        (self.keep_winner if item.mine_won else self.restore_loser)(conflict_id)

    def keep_theirs(self, conflict_id: str) -> None:
        """The other person's version. Raises: NotFoundError, RuleError, ForbiddenError."""
        (self.restore_loser if self._item_of(conflict_id).mine_won else self.keep_winner)(conflict_id)

    def _item_of(self, conflict_id: str) -> ConflictItem:
        found = conflicts.get(self.desk.db, conflict_id)
        if found is None:
            raise errors.NotFoundError("This conflict is not on this device (any more).", where=conflict_id)
        return self._items([found])[0]

    def _open(self, edit: edits.Edit, conflict_id: str) -> conflicts.Conflict:
        found = conflicts.get(edit.tx, conflict_id)
        if found is None:
            raise errors.NotFoundError("This conflict is not on this device (any more).", where=conflict_id)
        if found.status != "open":
            raise errors.RuleError(
                "This conflict is decided already.", where="conflict", hint="See its history."
            )
        return found

    def _close(self, edit: edits.Edit, found: conflicts.Conflict, resolution: str) -> None:
        edit.patch(
            tables.CONFLICTS.name,
            found.id,
            {
                "status": "resolved",
                "resolution": resolution,
                "resolved_by": self.desk.user.id,
                "resolved_at": values.time_text(edit.now),
            },
        )

    def _write(self, edit: edits.Edit, found: conflicts.Conflict, wanted: Mapping[str, Any]) -> None:
        known = tables.BY_NAME[found.tbl].by_name
        fields = {name: value for name, value in wanted.items() if name in known}
        if found.tbl != tables.LEADS.name:
            edit.patch(found.tbl, found.row_id, fields)
            return
        row = lead_changes.stored(edit, found.row_id)
        lead_changes.write(edit, found.row_id, row, lead_changes.with_rules(row, fields, edit.now))

    def _check_writer(self, table: str) -> None:
        if self.desk.user.role.value not in tables.BY_NAME[table].writers:
            raise errors.ForbiddenError(
                f"Your role may not change {table}.", where=table, hint="Ask your manager to decide this one."
            )

    def _items(self, found: Sequence[conflicts.Conflict]) -> tuple[ConflictItem, ...]:
        names = people.names(self.desk.db)
        lead_names = leads.names(self.desk.db, [item.lead_id for item in found])
        return tuple(_item(item, names, lead_names, self.desk.user.id) for item in found)


def _item(
    found: conflicts.Conflict, names: Mapping[str, str], lead_names: Mapping[str, str], me: str
) -> ConflictItem:
    base, winner, loser = (found.base or {}), (found.winner or {}), (found.loser or {})
    differing = [name for name in dict.fromkeys([*winner, *loser]) if winner.get(name) != loser.get(name)]
    mine = {found.winner_by: True, found.loser_by: False}
    return ConflictItem(
        id=found.id,
        table=found.tbl,
        row_id=found.row_id,
        lead_id=found.lead_id or "",
        lead_name=lead_names.get(found.lead_id or "", ""),
        unit=found.unit,
        policy=found.policy,
        fields=tuple(
            ConflictField(name=name, base=base.get(name), winner=winner.get(name), loser=loser.get(name))
            for name in differing
        ),
        winner_by=names.get(found.winner_by or "", ""),
        winner_at=found.winner_at,
        loser_by=names.get(found.loser_by or "", ""),
        loser_at=found.loser_at,
        mine_won=mine.get(me),
        status=found.status,
        created_at=found.created_at,
    )
