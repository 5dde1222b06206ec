"""Rows to look at, by table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from backend.storage.warehouse.feed_aside import Row
    from backend.storage.warehouse.feed_cursor import Change


@dataclass(slots=True, kw_only=True)
class Changed:
    """When they changed, and of leads that did themselves the version from which on a change of stage is news."""

    people: dict[UUID, datetime] = field(default_factory=dict)
    leads: dict[UUID, datetime] = field(default_factory=dict)
    lead_versions: dict[UUID, int] = field(default_factory=dict)
    tasks: set[UUID] = field(default_factory=set)
    interactions: set[UUID] = field(default_factory=set)
    edited: set[UUID] = field(default_factory=set)
    """Of the interactions: those that may have a fact that is no longer true."""
    deals: set[UUID] = field(default_factory=set)

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Changed:
        found = cls()
        for change in changes:
            found._add((change.table, change.row_id), change.at, change.ver)
        return found

    @classmethod
    def anew(cls, rows: Iterable[Row], now: datetime) -> Changed:
        """Whatever happened to them: each is brought as it stands."""
        found = cls()
        for row in rows:
            found._add(row, now, 0)
        return found

    def _add(self, row: Row, at: datetime, ver: int) -> None:
        """`ver` 0: any."""
        table, row_id = row
        match table:
            case "people":
                self.people[row_id] = at
            case "leads":
                self.leads[row_id] = at
                self.lead_versions.setdefault(row_id, ver)
            case "tasks":
                self.tasks.add(row_id)
            case "interactions":
                self.interactions.add(row_id)
                if ver != 1:
                    self.edited.add(row_id)
            case "deals":
                self.deals.add(row_id)

    def rows(self) -> list[Row]:
        """In the order in which they are brought."""
        return [
            *(("people", one) for one in self.people),
            *(("leads", one) for one in self.leads),
            *(("tasks", one) for one in self.tasks),
            *(("interactions", one) for one in self.interactions),
            *(("deals", one) for one in self.deals),
        ]

    def touch(self, leads: Iterable[UUID], now: datetime) -> None:
        """Something happened with these leads."""
        for one in sorted(leads):
            self.leads.setdefault(one, now)

    def forget_told(self, rows: Iterable[Row]) -> None:
        """These were not brought when they changed before: what they said then is news still."""
        for table, row_id in rows:
            if table == "leads":
                self.lead_versions[row_id] = 0
            elif table == "interactions":
                self.edited.add(row_id)

    def only(self, rows: Collection[Row]) -> Changed:
        """Nothing but these."""
        ids: dict[str, set[UUID]] = {}
        for table, row_id in rows:
            ids.setdefault(table, set()).add(row_id)
        people, leads = ids.get("people", set()), ids.get("leads", set())
        interactions = self.interactions & ids.get("interactions", set())
        return Changed(
            people={one: at for one, at in self.people.items() if one in people},
            leads={one: at for one, at in self.leads.items() if one in leads},
            lead_versions={one: ver for one, ver in self.lead_versions.items() if one in leads},
            tasks=self.tasks & ids.get("tasks", set()),
            interactions=interactions,
            edited=self.edited & interactions,
            deals=self.deals & ids.get("deals", set()),
        )
