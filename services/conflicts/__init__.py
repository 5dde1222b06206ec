"""A conflict as a person decides it: both values, by whom, when; one tap takes the other, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain import errors, tables, wire
from domain import values as wire_values
from services import lead_changes
from services.conflicts import shown
from services.conflicts.values import ConflictField, ConflictItem, Kind, Pair, Twin
from services.desk import Desk
from storage import conflict_reads, conflicts, edits, outbox, settings

__all__ = ["ConflictField", "ConflictItem", "Conflicts", "Kind", "Pair", "Twin"]
_TOLD = "conflicts.told"
_NEWS = timedelta(days=14)
_MOST_NEWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """What two people changed at once, and what is decided."""

    desk: Desk

    def open_ones(self, *, limit: int = 100) -> tuple[ConflictItem, ...]:
        """Not decided yet, the oldest first."""
        return shown.items(self.desk, conflicts.open_conflicts(self.desk.db, limit=limit))

    def mine(self, *, limit: int = 100) -> tuple[ConflictItem, ...]:
        """Undecided ones that this person has to settle: of their values, their leads, and (managers) nobody's leads."""
        user = self.desk.user
        found = conflict_reads.to_settle(self.desk.db, user.id, of_nobody=user.is_executive, limit=limit)
        return shown.items(self.desk, found)

    def count_mine(self) -> int:
        user = self.desk.user
        return conflict_reads.count_to_settle(self.desk.db, user.id, of_nobody=user.is_executive)

    def of_row(self, table: str, row_id: str, *, open_only: bool = True) -> tuple[ConflictItem, ...]:
        """Of one row, newest first."""
        found = conflicts.of_row(self.desk.db, table, row_id)
        return shown.items(self.desk, [item for item in found if item.status == "open" or not open_only])

    def get(self, conflict_id: str) -> ConflictItem:
        """Decided or not. Raises: NotFoundError."""
        return shown.items(self.desk, [self._found(conflict_id)])[0]

    # --- both values -----------------------------------------------------------------------------------------------

    def keep_winner(self, conflict_id: str) -> None:
        """The first of both counts: it stays, or comes back if the other was taken. Raises: NotFoundError, ForbiddenError."""
        found = self._found(conflict_id)
        with self.desk.action() as edit:
            if found.resolution == "restored" and shown.kind_of(found) is Kind.VALUES:
                self._write(edit, found, found.winner or {})
            self._close(edit, found, "resolved", "kept")

    def restore_loser(self, conflict_id: str) -> None:
        """The version that lost is written again, as a whole. Raises: NotFoundError, RuleError, ForbiddenError."""
        found = self._found(conflict_id)
        if shown.kind_of(found) in {Kind.DUPLICATE, Kind.ORPHAN}:
            raise errors.RuleError("There is no other value to take.", where="conflict")
        with self.desk.action() as edit:
            if shown.kind_of(found) is Kind.DELETED:
                self._bring_back(edit, found)
            else:
                self._write(edit, found, found.loser or {})
            self._close(edit, found, "resolved", "restored")

    def keep_mine(self, conflict_id: str) -> None:
        """This person's version, whether it won or lost. Raises: NotFoundError, RuleError, ForbiddenError."""
        item = self.get(conflict_id)
        if item.mine_won is None:
            raise errors.RuleError(
                "Neither version is yours.",
                where="conflict",
                hint="Choose by name which of the two is right.",
            )
        (self.keep_winner if item.mine_won else self.restore_loser)(conflict_id)

    def keep_theirs(self, conflict_id: str) -> None:
        """The other person's version. Raises: NotFoundError, RuleError, ForbiddenError."""
        (self.restore_loser if self.get(conflict_id).mine_won else self.keep_winner)(conflict_id)

    # --- the loser is told ------------------------------------------------------------------------------------------

    def lost(self) -> tuple[ConflictItem, ...]:
        """This person's values of the last two weeks that another one replaced, until they have seen it."""
        return shown.items(self.desk, self._news())

    def count_lost(self) -> int:
        return len(self._news())

    def seen(self, conflict_ids: Iterable[str]) -> None:
        """The person knows. Remembered on this device only."""
        known = {*self._told(), *conflict_ids}
        recent = {item.id for item in self._lost()}
        with self.desk.db.write_tx() as tx:
            settings.put(tx, _TOLD, sorted(known & recent))

    def _told(self) -> set[str]:
        return set(settings.get(self.desk.db, _TOLD, []))

    def _lost(self) -> list[conflicts.Conflict]:
        since = self.desk.now() - _NEWS
        return conflict_reads.lost_by(self.desk.db, self.desk.user.id, since=since, limit=_MOST_NEWS)

    def _news(self) -> list[conflicts.Conflict]:
        told = self._told()
        return [item for item in self._lost() if item.id not in told]

    # --- one person twice -------------------------------------------------------------------------------------------

    def pair(self, conflict_id: str) -> Pair:
        """Both leads side by side. Raises: NotFoundError."""
        return shown.pair(self.desk, self._found(conflict_id))

    def pairs_of(self, lead_id: str) -> tuple[Pair, ...]:
        """Undecided pairs that this lead is one of."""
        found = conflict_reads.duplicates_of(self.desk.db, lead_id)
        return tuple(shown.pair(self.desk, item) for item in found)

    def merge(self, conflict_id: str) -> None:
        """The same person: the server makes one lead of both. Raises: NotFoundError."""
        self._tell_apart(conflict_id, "merge")

    def two_people(self, conflict_id: str) -> None:
        """Both leads stay. Raises: NotFoundError."""
        self._tell_apart(conflict_id, "keep_both")

    def _tell_apart(self, conflict_id: str, resolution: str) -> None:
        with self.desk.action() as edit:
            self._close(edit, self._found(conflict_id), "settled", resolution)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _found(self, conflict_id: str) -> conflicts.Conflict:
        found = conflicts.get(self.desk.db, conflict_id)
        if found is None:
            raise errors.NotFoundError("This conflict is not on this device (any more).", where=conflict_id)
        return found

    def _close(self, edit: edits.Edit, found: conflicts.Conflict, status: str, resolution: str) -> None:
        edit.patch(
            tables.CONFLICTS.name,
            found.id,
            {
                "status": status,
                "resolution": resolution,
                "resolved_by": self.desk.user.id,
                "resolved_at": wire_values.time_text(edit.now),
            },
        )

    def _write(self, edit: edits.Edit, found: conflicts.Conflict, wanted: Mapping[str, Any]) -> None:
        self._check_writer(found.tbl)
        known = tables.BY_NAME[found.tbl].by_name
        fields = {name: value for name, value in wanted.items() if name in known}
        if found.tbl != tables.LEADS.name:
            edit.patch(found.tbl, found.row_id, fields)
            return
        row = lead_changes.stored(edit, found.row_id)
        lead_changes.write(edit, found.row_id, row, lead_changes.with_rules(row, fields, edit.now))

    def _bring_back(self, edit: edits.Edit, found: conflicts.Conflict) -> None:
        """Only the device that still has the edit can: the server kept no more of the row than its id."""
        self._check_writer(found.tbl)
        waiting = [
            line.mid
            for line in outbox.of_row(edit.tx, found.tbl, found.row_id)
            if line.state is outbox.State.PARKED and line.mutation.op is wire.Op.PATCH
        ]
        if not waiting:
            raise errors.RuleError(
                "The change that was made to it is not on this device.",
                where="conflict",
                hint="Whoever made it can bring it back on their own device, under Sync.",
            )
        edit.restore(*waiting)

    def _check_writer(self, table: str) -> None:
        if self.desk.user.role.value not in tables.BY_NAME[table].writers:
            raise errors.ForbiddenError(
                f"Your role may not change {table}.", where=table, hint="Ask your manager to decide this one."
            )
