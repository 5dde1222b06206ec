"""A lead and what belongs to it are in one location: they move together, and what comes later follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.services.rights import MOVERS
from backend.services.work import Refused, Work
from backend.storage import conflicts
from backend.storage.rows import Stored
from domain import tables


def check(work: Work, row: Stored, target: str) -> None:
    """Whether this person may move the lead there. Raises: Refused."""
    if work.actor.role not in MOVERS:
        raise Refused("forbidden", "Only a manager may move a lead to another location.", ver=row.ver)
    if target not in work.actor.locations:
        raise Refused(
            "forbidden", "You have no access to the location that the lead is to move to.", ver=row.ver
        )


async def children(work: Work, lead_id: str) -> list[Stored]:
    """The lead's rows that this person sees. Who could not see the lead may have named it in a location of their own:
    what they wrote there is not to get into this one."""
    return [child for child in await work.store.children(lead_id) if work.rights.sees(child)]


async def take_along(work: Work, lead: Stored, edit_ms: int) -> None:
    """The rows of the lead go where it is. The server does it: the device that moved the lead pulls them."""
    await work.as_server()
    for child in await children(work, lead.id):
        after = await work.store.update(child, {"location_id": lead.scope}, edit_ms=edit_ms)
        if (child.table.name, child.id) in work.held:
            work.hold(after)
    await work.as_device()


async def beside_parent(
    work: Work, table: tables.Table, given: Mapping[str, Any], edit_ms: int
) -> dict[str, Any]:
    """The values of a row with a lead: in the lead's location, and of the lead that it was merged into.

    Only where its author may (or might, then) change that lead; otherwise the row stays where they put it.
    """
    lead = work.lead(given["lead_id"]) if given.get("lead_id") and table is not tables.CONFLICTS else None
    if lead is None or not await work.rights.might_change(lead, edit_ms):
        return dict(given)
    return {**given, "lead_id": lead.id, "location_id": lead.scope}


async def flag_orphan(work: Work, child: Stored, edit_ms: int) -> None:
    """A new row of a deleted lead is kept, and somebody has to look at it: one record for each lead and push."""
    lead = work.lead(child.values.get("lead_id")) if child.values.get("lead_id") else None
    if lead is None or not lead.deleted or lead.scope != child.scope or lead.id in work.orphaned:
        return
    work.orphaned.add(lead.id)
    await work.record(
        child,
        conflicts.Record(
            unit="lead_id",
            policy="delete",
            base={},
            winner=conflicts.Side(values={"deleted": True}, by=None, at_ms=None),
            loser=conflicts.Side(values={"lead_id": lead.id}, by=work.actor.id, at_ms=edit_ms),
            open=True,
        ),
    )
