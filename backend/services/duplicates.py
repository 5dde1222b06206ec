"""Leads that may be one person: found when they arrive, told to people, and merged when somebody says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.services import contact_safety, moves
from backend.services.work import Refused, Work
from backend.storage import conflicts
from backend.storage.rows import Stored
from domain import duplicates, tables, values


async def find(work: Work) -> None:
    """Compare the leads whose number, e-mail or opt-out this push changed with all others.

    None is refused: two of one location stay both, and a record asks whether they are one person. An opt-out of a number
    counts for every lead with that number, and for one that comes later.
    """
    fresh = [lead for lead_id in sorted(work.contacts) if (lead := work.lead(lead_id))]
    ways = {way for lead in fresh for way in duplicates.ways(lead.values)} | work.said.keys()
    if ways:
        reached = _Reached([lead for lead in await contact_safety.spread(work, ways) if not lead.deleted])
        await _ask(work, [lead for lead in fresh if not lead.deleted], reached)


async def _ask(work: Work, fresh: Sequence[Stored], reached: _Reached) -> None:
    pairs: dict[tuple[str, str], tuple[Stored, Stored]] = {}
    for lead in fresh:
        twins = [one for one in reached.twins(lead.values) if one.id != lead.id and one.scope == lead.scope]
        if twins:
            older, newer = sorted((lead, min(twins, key=_age)), key=_age)
            pairs[(older.id, newer.id)] = (older, newer)
    known = await work.store.pairs([older for older, _ in pairs]) if pairs else set()
    for key, (older, newer) in pairs.items():
        if key not in known:
            await work.record(newer, _record(older, newer))


class _Reached:
    """Leads by their numbers and e-mails, each worked out once: a push may bring two hundred."""

    def __init__(self, leads: Sequence[Stored]) -> None:
        self._leads = leads
        self._places: dict[str, list[int]] = {}
        for place, lead in enumerate(leads):
            for way in duplicates.ways(lead.values):
                self._places.setdefault(way, []).append(place)

    def twins(self, lead: Mapping[str, Any]) -> list[Stored]:
        """Those with the same number or the same e-mail, each once."""
        found = {place for way in duplicates.ways(lead) for place in self._places.get(way, ())}
        return [self._leads[place] for place in sorted(found)]


def _record(older: Stored, newer: Stored) -> conflicts.Record:
    """About the newer lead, as something that belongs to the older one."""
    return conflicts.Record(
        unit=duplicates.UNIT,
        policy=duplicates.UNIT,
        base={},
        winner=conflicts.Side(values=duplicates.named(older.id, older.values), by=None, at_ms=None),
        loser=conflicts.Side(values=duplicates.named(newer.id, newer.values), by=None, at_ms=None),
        open=True,
        lead_id=older.id,
    )


def _age(lead: Stored) -> tuple[str, str]:
    return duplicates.age(lead.id, lead.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
    """What making one lead of two will write. `told`: what the record keeps of the one that goes."""

    winner: Stored
    loser: Stored
    changed: Mapping[str, Any]
    told: Mapping[str, Any]


async def merger(work: Work, record: Stored, written: Mapping[str, Any]) -> Merger | None:
    """What `written` to this record asks for; None if it is nothing, or if there are no two leads any more.

    Raises: Refused for somebody who may not see both.
    """
    if record.values["unit"] != duplicates.UNIT or written.get("resolution") != duplicates.MERGE:
        return None
    winner, loser = [await _lead(work, record.values[side]) for side in ("winner", "loser")]
    if winner is None or loser is None or winner.id == loser.id:
        return None
    if not (work.rights.sees(winner) and work.rights.sees(loser)):
        raise Refused("forbidden", "One of the two leads is in a location that you have no access to.")
    changed = duplicates.united(winner.values, loser.values)
    left = duplicates.left_over({**winner.values, **changed}, loser.values)
    told = {**record.values["loser"], **left}
    return Merger(winner=winner, loser=loser, changed=changed, told=told)


async def _lead(work: Work, told: Any) -> Stored | None:
    """The lead that the record names, or the one it was merged into; held from here on. None: deleted."""
    lead_id = str(told.get("id")) if isinstance(told, dict) else ""
    if not values.is_id(lead_id):
        return None
    work.aliases |= await work.store.aliases([lead_id])
    now = work.aliases.get(lead_id, lead_id)
    if work.lead(now) is None:
        work.held |= await work.store.lock([(tables.LEADS.name, now)])
    lead = work.lead(now)
    return lead if lead is not None and not lead.deleted else None


async def unite(work: Work, merging: Merger, edit_ms: int) -> None:
    """One lead of two. The server does it: every device pulls what changes."""
    winner, loser = merging.winner, merging.loser
    await work.as_server()
    for child in await moves.children(work, loser.id):
        given = {"lead_id": winner.id, "location_id": winner.scope}
        about = (child.values["tbl"], child.values["row_id"]) if child.table is tables.CONFLICTS else None
        if about == (tables.LEADS.name, loser.id) and child.values["unit"] != duplicates.UNIT:
            given["row_id"] = winner.id
        after = await work.store.update(child, given, edit_ms=edit_ms)
        if (child.table.name, child.id) in work.held:
            work.hold(after)
    work.hold(await work.store.update(winner, merging.changed, edit_ms=edit_ms))
    work.contacts.add(winner.id)  # it may have a number or an opt-out that it had not
    work.hold(await work.store.delete(loser, edit_ms=edit_ms))
    await work.store.add_alias(loser.id, winner.id)
    work.aliases[loser.id] = winner.id
    await work.as_device()
