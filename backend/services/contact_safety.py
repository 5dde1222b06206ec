"""An opt-out counts whatever becomes of the change that carries it, and belongs to the number and the e-mail.

It is the whole brokerage's (docs/decisions/0020): nobody with that number or e-mail is to be called, whichever office entered them, then
or later. Of a location that the sender does not see, nothing is told: the lead there learns that somebody said no, and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.services.work import Work
from backend.storage import kin
from backend.storage.rows import Stored
from domain import duplicates, tables, values, wire

_LEADS = tables.LEADS
_UNIT = _LEADS.unit_fields("opt_out")
_TOLD = (*_UNIT, "phone", "email", "location_id")


def is_optout(mutation: wire.Mutation) -> bool:
    return mutation.table == _LEADS.name and mutation.patch.get("opted_out") is True


async def keep_optout(work: Work, mutation: wire.Mutation) -> None:
    """Of a change that was refused, the opt-out alone: in the lead, if its author sees it or ever saw it, and for its number.

    A lead that was never made has its number from the changes that were parked with it; its author has to be somebody who
    might have made it.
    """
    if not is_optout(mutation):
        return
    told, lead = _told(mutation), work.lead(mutation.row_id)
    if lead is None:
        told = await _of_parked(work, mutation) | told
        scope = told.get("location_id")
        if scope and await work.rights.might(scope, work.edit_ms(mutation)):
            _say(work, scope, told)
    elif await work.rights.ever_saw(lead):
        _say(work, lead.scope, told)
        if not lead.values["opted_out"]:
            # As the server: the answer says that the change was refused, so the device learns of this by the feed.
            await work.as_server()
            said = {name: told[name] for name in _UNIT if name in told}
            work.hold(await work.store.update(lead, said, edit_ms=work.edit_ms(mutation)))
            await work.as_device()
            work.contacts.add(lead.id)


def _told(mutation: wire.Mutation) -> dict[str, Any]:
    return values.sound(_LEADS, {name: mutation.patch[name] for name in _TOLD if name in mutation.patch})


async def _of_parked(work: Work, mutation: wire.Mutation) -> dict[str, Any]:
    """How to reach a lead whose making is parked, and where it was to be."""
    told: dict[str, Any] = {}
    if values.is_id(mutation.row_id):
        for one in await work.store.parked(work.sender, mutation.row_id.lower()):
            if one.table == _LEADS.name:
                told |= _told(one)
    return told


def _say(work: Work, scope: str, told: Mapping[str, Any]) -> None:
    said = {name: told.get(name) for name in _UNIT} | {"opted_out": True}
    for way in duplicates.ways({"phone": told.get("phone"), "email": told.get("email")}):
        work.said.setdefault(way, {})[scope] = said


def keep_ways(work: Work, before: Stored) -> None:
    """A lead that is out gets another number: the one that said no stays out."""
    if before.values["opted_out"]:
        _say(work, before.scope, before.values)


async def spread(work: Work, ways: Collection[str]) -> list[Stored]:
    """All leads of the brokerage with one of these numbers or e-mails, deleted ones too; out, where anybody with it is.

    Who is out because of a number is so for their e-mail too: it goes on until nobody is left.
    """
    reach = _Reach(work=work, said={way: dict(said) for way, said in work.said.items()})
    await reach.ask(ways)
    while news := reach.news():
        for lead in news:
            await reach.take_out(lead)
        await reach.ask({way for lead in news for way in duplicates.ways(lead.values)})
    await work.as_device()
    if fresh := reach.said.keys() - reach.known:
        await work.store.remember_opt_outs(fresh)
    return list(reach.leads.values())


@dataclass(slots=True, kw_only=True)
class _Reach:
    """`leads`: with one of the ways that were asked about, by id; `said`: ways that are out, and the words by location."""

    work: Work
    said: dict[str, dict[str, Mapping[str, Any]]]
    leads: dict[str, Stored] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    async def ask(self, ways: Collection[str]) -> None:
        fresh = sorted(set(ways) - self._asked)
        if not fresh:
            return
        self._asked.update(fresh)
        for lead in await self.work.store.same_contact(fresh):
            self.leads[lead.id] = self.work.held.get((_LEADS.name, lead.id), lead)
        remembered = await self.work.store.opted_out(fresh)
        self.known |= remembered
        for way in remembered:
            self.said.setdefault(way, {})

    def news(self) -> list[Stored]:
        """Leads that have to be out and are not yet."""
        for lead in self.leads.values():
            if lead.values["opted_out"]:
                for way in duplicates.ways(lead.values):
                    said = self.said.setdefault(way, {})
                    said.setdefault(lead.scope, {name: lead.values[name] for name in _UNIT})
        inside = [lead for lead in self.leads.values() if not lead.values["opted_out"]]
        return [lead for lead in inside if any(way in self.said for way in duplicates.ways(lead.values))]

    async def take_out(self, lead: Stored) -> None:
        said = [self.said[way] for way in duplicates.ways(lead.values) if way in self.said]
        here = [one[lead.scope] for one in said if lead.scope in one]
        if lead.scope in self.work.actor.locations:
            await self.work.as_server()
        else:  # who said so elsewhere is not told here
            await self.work.store.act_as(actor_id="", origin="")
        given = here[0] if here else self._earlier()
        after = await self.work.store.update(lead, given, edit_ms=self.work.now_ms)
        self.leads[lead.id] = self.work.hold(after)

    def _earlier(self) -> dict[str, Any]:
        at = values.time_text(self.work.now)
        return {"opted_out": True, "opted_out_at": at, "opted_out_words": kin.EARLIER}
