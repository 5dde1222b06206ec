"""From stored conflicts to what screens show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain import tables
from services.conflicts.values import ConflictField, ConflictItem, Kind, Pair, Twin
from services.desk import Desk
from storage import conflict_reads, conflicts, leads, people, rows

WHOLE_ROW = "row"
"""The server's unit for an edit against a deletion."""

_ORPHAN = ("lead_id", "delete")
"""Unit and policy of what was written for a lead that somebody deleted."""


def kind_of(found: conflicts.Conflict) -> Kind:
    if found.unit == conflict_reads.DUPLICATE:
        return Kind.DUPLICATE
    if found.unit == WHOLE_ROW:
        return Kind.DELETED
    return Kind.ORPHAN if (found.unit, found.policy) == _ORPHAN else Kind.VALUES


def items(desk: Desk, found: Sequence[conflicts.Conflict]) -> tuple[ConflictItem, ...]:
    """Each with the names of people and leads."""
    names = people.names(desk.db)
    lead_names = leads.names(desk.db, [item.lead_id for item in found])
    return tuple(
        replace(_item(item, names, lead_names, desk.user.id), about=_about(desk, item)) for item in found
    )


def _item(
    found: conflicts.Conflict, names: Mapping[str, str], lead_names: Mapping[str, str], me: str
) -> ConflictItem:
    mine = {found.winner_by: True, found.loser_by: False}
    return ConflictItem(
        id=found.id,
        kind=kind_of(found),
        table=found.tbl,
        row_id=found.row_id,
        lead_id=found.lead_id or "",
        lead_name=lead_names.get(found.lead_id or "", ""),
        unit=found.unit,
        policy=found.policy,
        fields=_fields(found),
        winner_by=names.get(found.winner_by or "", ""),
        winner_at=found.winner_at,
        loser_by=names.get(found.loser_by or "", ""),
        loser_at=found.loser_at,
        mine_won=mine.get(me),
        status=found.status,
        resolution=found.resolution or "",
        resolved_by=names.get(found.resolved_by or "", ""),
        resolved_at=found.resolved_at,
        created_at=found.created_at,
    )


def _about(desk: Desk, found: conflicts.Conflict) -> str:
    """The first words of what belongs to nobody any more."""
    table = tables.BY_NAME.get(found.tbl)
    row = rows.get(desk.db, table, found.row_id) if table and kind_of(found) is Kind.ORPHAN else None
    if row is None:
        return ""
    said = next((row[1][name] for name in _WORDS if row[1].get(name)), "")
    return " ".join(str(said).split())[:300]


_WORDS = ("text", "transcript", "title", "body", "kind")


def _fields(found: conflicts.Conflict) -> tuple[ConflictField, ...]:
    """Those that differ; of a deletion only what the edit wanted. What one of the two never saw is no value of theirs."""
    base, winner, loser = (found.base or {}), (found.winner or {}), (found.loser or {})
    if kind_of(found) is Kind.DELETED:
        return tuple(
            ConflictField(name=name, base=base.get(name), winner=None, loser=value)
            for name, value in loser.items()
        )
    return tuple(
        ConflictField(name=name, base=base.get(name), winner=winner.get(name), loser=loser.get(name))
        for name in (
            (n for n in winner if n in loser) if kind_of(found) is Kind.VALUES else {**winner, **loser}
        )
        if winner.get(name) != loser.get(name)
    )


def pair(desk: Desk, found: conflicts.Conflict) -> Pair:
    """Both leads as they are on this device now; one that is not here, as the server wrote it down."""
    names = people.names(desk.db)
    return Pair(
        conflict_id=found.id,
        open=found.status == "open",
        resolution=found.resolution or "",
        one=_twin(desk, found.winner or {}, names),
        other=_twin(desk, found.loser or {}, names),
    )


def _twin(desk: Desk, told: Mapping[str, Any], names: Mapping[str, str]) -> Twin:
    lead_id = str(told.get("id") or "")
    lead = leads.get(desk.db, lead_id)
    if lead is None:
        return Twin(
            id=lead_id, here=False, name=str(told.get("name") or ""), phone=str(told.get("phone") or "")
        )
    return Twin(
        id=lead_id,
        here=True,
        name=lead.name,
        phone=lead.phone or "",
        email=lead.email or "",
        address=", ".join(part for part in (lead.address, lead.city) if part),
        stage=lead.stage,
        source=lead.source or "",
        agent_name=names.get(lead.agent_id or "", ""),
        created_at=lead.created_at,
        last_touch_at=lead.last_touch_at,
    )
