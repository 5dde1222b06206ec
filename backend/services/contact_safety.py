"""An opt-out counts whatever becomes of the change that carries it."""

from __future__ import annotations

from backend.services.work import Work
from domain import tables, values, wire

_UNIT = tables.LEADS.unit_fields("opt_out")


def is_optout(mutation: wire.Mutation) -> bool:
    return mutation.table == tables.LEADS.name and mutation.patch.get("opted_out") is True


async def keep_optout(work: Work, mutation: wire.Mutation) -> None:
    """Of a change that was refused, apply the opt-out alone, if its author sees the lead or ever saw it."""
    lead = work.lead(mutation.row_id) if is_optout(mutation) else None
    if lead is None or lead.values["opted_out"] or not await work.rights.ever_saw(lead):
        return
    said = values.sound(tables.LEADS, {n: mutation.patch[n] for n in _UNIT if n in mutation.patch})
    # As the server: the answer says that the change was refused, so the device learns of this by the feed.
    await work.as_server()
    work.hold(await work.store.update(lead, said, edit_ms=work.edit_ms(mutation)))
    await work.as_device()
    work.contacts.add(lead.id)
