"""The leads behind a figure: ids and what the warehouse knows of them. Names are added after the cache, never before."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backend.metrics import MEASURES, Figure, Shape
from backend.metrics.measures import BOTS, MONEY
from backend.services.bi import breakdown, stocks
from backend.services.bi.breakdown import Row
from backend.services.bi.division import Division
from backend.services.bi.paging import Place
from backend.storage.warehouse import behind as store
from backend.storage.warehouse import columns, drills
from backend.storage.warehouse.behind import After, Amount, Lead, Step, Trail
from backend.storage.warehouse.reach import Reach, reach
from backend.storage.warehouse.where import LEAD, Key
from domain.kpis import Unit

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_BATCH, _LEAST_BATCH, _GROWTH, _MOST_BATCH = 3, 100, 3, 50_000
"""Facts read for each lead wanted; at least; so many times as many each time that most were of leads of earlier pages; at most."""
_MOST_BATCHES = 8
_NEAR = timedelta(days=1)
"""What is frequent is found as quickly in the facts as they lie."""
_A_MOMENT = timedelta(microseconds=1)
_FIRST = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """One lead's part of a figure, and when it last added to it."""

    lead_id: str | None
    row: Row
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`after`: where the next one begins, None at the end."""

    found: Sequence[Behind]
    order: str
    after: Sequence[Any] | None

    @property
    def dated(self) -> bool:
        """Money of a lead is the sum of deals, which have no one moment."""
        return self.order != "value"


async def page(connection: Connection, division: Division, place: Place | None, limit: int) -> Page:
    """Raises: TooMuchError."""
    figure = division.figure
    if figure.shape is Shape.STOCK and figure.unit is Unit.COUNT:
        return await _active(connection, division, place, limit)
    if figure.shape is Shape.STOCK or MEASURES[_main(figure)].fact == MONEY:
        return await _of_money(connection, division, place, limit)
    return await _walked(connection, division, place, limit)


def _main(figure: Figure) -> str:
    """The measure whose facts are its cases."""
    if figure.shape is Shape.QUANTILE:
        return "scored" if figure.timed == "scored" else "timed_turns"
    return figure.measures[-1]


async def _active(connection: Connection, division: Division, place: Place | None, limit: int) -> Page:
    filters = division.lead_filters
    if filters is None:
        return Page(found=[], order="created", after=None)
    now = division.calendar.now
    rows = await store.active(
        connection, now, division.keys, filters, after=_moment_of(place), limit=limit + 1
    )
    found = [
        Behind(
            lead_id=lead.lead_id,
            row=Row(key=lead.lead_id, value=1, n=1, parts={"past_due": int(_is_late(lead, now))}),
            last_at=lead.last_contact_at,
        )
        for lead in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    after = [last.created_at.isoformat(), last.lead_id] if last else None
    return Page(found=found, order="created", after=after)


def _is_late(lead: Lead, now: datetime) -> bool:
    return lead.temperature == "hot" and lead.answer_due_at is not None and lead.answer_due_at < now


async def _of_money(connection: Connection, division: Division, place: Place | None, limit: int) -> Page:
    """The largest amounts first."""
    page = drills.Page(limit=limit + 1, after=_amount_of(place))
    if division.figure.shape is Shape.STOCK:
        within = division.within_stock()
        parts = await drills.standing(connection, stocks.ODDS, within, LEAD, division.filters, page=page)
        rows = [breakdown.worth(one) for one in parts]
    else:
        names = breakdown.wanted(division.figure)
        found = await drills.largest(connection, names, division.within(), division.filters, page)
        rows = [breakdown.measured(division.figure, key, sums) for key, sums in found]
    shown = rows[:limit]
    return Page(
        found=[Behind(lead_id=None if row.key is None else str(row.key), row=row) for row in shown],
        order="value",
        after=[shown[-1].value, shown[-1].key] if len(rows) > limit else None,
    )


async def _walked(connection: Connection, division: Division, place: Place | None, limit: int) -> Page:
    figure = division.figure
    trail = Trail(
        fact=BOTS if figure.shape is Shape.QUANTILE else MEASURES[_main(figure)].fact,
        counts=columns.condition(_main(figure)) if figure.timed is None else store.timing(figure.timed),
        within=division.within(),
        filters=division.filters,
    )
    walk = _Walk(
        connection=connection,
        trail=trail,
        measure=_main(figure),
        begin=_moment_of(place),
        now=division.calendar.now,
    )
    found, after = await walk.leads(limit)
    rows = await _rows(connection, division, list(found))
    behind = [Behind(lead_id=lead, row=rows[lead], last_at=at) for lead, at in found.items()]
    if after is None and (nobodys := (await _rows(connection, division, [None])).get(None)) and nobodys.n:
        behind.append(Behind(lead_id=None, row=nobodys))
    return Page(found=behind, order="newest", after=[after[0].isoformat(), after[1]] if after else None)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Facts backwards from `begin`: those of a day as they lie; then, where columns tell, only the hours that have any."""

    connection: Connection
    trail: Trail
    measure: str
    begin: After | None
    now: datetime
    near: bool = True
    reach: Reach | None = None

    async def leads(self, limit: int) -> tuple[dict[str, datetime], After | None]:
        """Leads in the order of their newest facts, and where to go on."""
        found: dict[str, datetime] = {}
        old: set[str] = set()
        size, at = max(_LEAST_BATCH, _BATCH * limit), self.begin
        for _ in range(_MOST_BATCHES):
            batch, then = await self._next(at, size)
            fresh = {step.lead_id for step in batch} - found.keys() - old
            if self.begin is not None and fresh:
                old |= await store.passed(self.connection, self.trail, fresh, self.begin)
                fresh -= old
            for step in batch:
                if step.lead_id in fresh and step.lead_id not in found:
                    found[step.lead_id] = step.at
                    if len(found) == limit:
                        return found, (step.at, step.id)
            if then is None:
                return found, None
            size, at = min(_GROWTH * size, _MOST_BATCH), then
        return found, at

    async def _next(self, at: After | None, size: int) -> tuple[list[Step], After | None]:
        """The next facts, and where to go on; None: there are no more."""
        until = at[0] if at else self.trail.within.until
        begin = self.trail.within.since
        if self.near and until is not None and begin is not None:
            since = max(begin, min(until, self.now) - _NEAR)
            near = replace(self.trail, within=self.trail.within.bounded(since, until + _A_MOMENT))
            found, then = await self._some(at, size, near, ends=since if since > begin else None)
            self.near = len(found) == size
            return found, then
        self.near = False
        if self.reach is None:
            self.reach = await reach(
                self.connection, self.trail.fact, self.measure, self.trail.within, self.trail.filters
            )
        if self.reach is None or until is None:
            return await self._some(at, size, self.trail)
        among, ends = self.reach.next(until, size)
        return await self._some(at, size, self.trail, ends=ends, among=among)

    async def _some(
        self,
        at: After | None,
        size: int,
        trail: Trail,
        *,
        ends: datetime | None = None,
        among: store.Ranges | None = None,
    ) -> tuple[list[Step], After | None]:
        """`ends`: from where on these are all that there are, and something may lie before it."""
        batch = [] if among == [] else await store.steps(self.connection, trail, at, size, among)
        if len(batch) == size:
            return batch, (batch[-1].at, batch[-1].id)
        return batch, None if ends is None else (ends, _FIRST)


async def _rows(
    connection: Connection, division: Division, leads: Sequence[str | None]
) -> dict[str | None, Row]:
    """What each of these leads adds to the figure."""
    if not leads:
        return {}
    figure, filters = division.figure, {**division.filters, LEAD: leads}
    rows: list[Row]
    if figure.shape is Shape.QUANTILE:
        found = await drills.timed(connection, figure.timed or "", division.within(), LEAD, filters)
        rows = breakdown.timed(figure, found)
    else:
        sums = await drills.measured(connection, figure.measures, division.within(), LEAD, filters)
        rows = [breakdown.measured(figure, key, one) for key, one in sums.items()]
    return {None if row.key is None else str(row.key): row for row in rows}


def _amount_of(place: Place | None) -> tuple[int, Key] | None:
    return None if place is None else (int(place.after[0]), place.after[1])


def _moment_of(place: Place | None) -> After | None:
    return None if place is None else (datetime.fromisoformat(place.after[0]), place.after[1])


def told(
    one: Behind,
    lead: Lead | None,
    amounts: Mapping[str, Sequence[Amount]] | None,
    places: Mapping[int, str],
    *,
    dated: bool,
) -> dict[str, Any]:
    """As the answer says it; ids only."""
    found = {
        "lead_id": one.lead_id,
        "stage": lead.stage if lead else None,
        "temperature": (lead.temperature or None) if lead else None,
        "kind": lead.kind if lead else None,
        "source": (lead.source or None) if lead else None,
        "location_id": places.get(lead.location_key) if lead else None,
        "agent_id": lead.agent_id if lead else None,
        "value": one.row.value,
        "n": one.row.n,
        "parts": dict(one.row.parts),
        "amounts": None if amounts is None else _worth(amounts.get(one.lead_id or "", ())),
    }
    return found | {"last_at": one.last_at.isoformat() if one.last_at else None} if dated else found


def _worth(open_deals: Sequence[Amount]) -> dict[str, int]:
    """A lead's open deals."""
    weight = sum(stocks.weight(one.stage, one.company_cents, sells=one.sells) for one in open_deals)
    return {
        "deals": sum(one.deals for one in open_deals),
        "gross_cents": sum(one.gross_cents for one in open_deals),
        "company_cents": sum(one.company_cents for one in open_deals),
        "weighted_cents": stocks.cents(weight),
    }
