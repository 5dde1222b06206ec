"""POST /api/bi/drill-down: a figure divided by a dimension, or the leads behind it; only what the registry names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from backend.actor import Actor
from backend.metrics import FIGURES, Dimension, Figure
from backend.policy import Permission
from backend.services.bi import behind, breakdown, compare, dimensions, paging, question
from backend.services.bi.breakdown import Breakdown, Row
from backend.services.bi.division import Division
from backend.services.bi.paging import Place
from backend.services.bi.question import Question
from backend.storage.warehouse import behind as leads_store
from backend.storage.warehouse import names as names_store
from backend.storage.warehouse import newest
from backend.storage.warehouse.where import LEAD, Key
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

MOST_ROWS, USUAL_ROWS = 200, 50
_TIMES = (Dimension.DAY, Dimension.HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillQuestion(Question):
    """`filters`: dimension, then its values. `group_by`: a dimension, or `lead` for the leads behind."""

    name: ClassVar[str] = "drill-down"

    metric: str
    filters: tuple[tuple[str, tuple[Key, ...]], ...] = ()
    group_by: str = LEAD
    limit: int = USUAL_ROWS
    cursor: str = ""

    def options(self) -> Mapping[str, Any]:
        asked = self.asked_again()
        return {**asked, "limit": self.limit, "cursor": self.cursor}

    def asked_again(self) -> dict[str, Any]:
        """What is the same on all pages of one answer."""
        return {
            "metric": self.metric,
            "filters": [[name, list(values)] for name, values in self.filters],
            "group_by": self.group_by,
        }

    @property
    def bound_to(self) -> str:
        """What a cursor belongs to; the number is of its form."""
        return f"2|{self.scope.fingerprint}|{self.timeframe}|{self.asked_again()}"


async def ask(
    deps: Deps,
    actor: Actor,
    *,
    component: str,
    metric: str,
    location_id: str = "",
    timeframe: str = "30d",
    filters: Mapping[str, object] | None = None,
    group_by: str | None = None,
    limit: int = USUAL_ROWS,
    cursor: str = "",
) -> DrillQuestion:
    """Raises: InputError naming what there is, ForbiddenError."""
    figure = figure_of(component, metric)
    by = _group(figure, group_by)
    permissions = [figure.permission, *([Permission.SEE_LEADS_BEHIND] if by == LEAD else [])]
    scope, offices = await question.whose(deps, actor, location_id, *permissions)
    asked = DrillQuestion(
        scope=scope,
        offices=offices,
        timeframe=timeframe,
        metric=metric,
        filters=tuple(sorted(_filters(figure, filters or {}).items())),
        group_by=by,
        limit=limit,
        cursor=cursor,
    )
    _check_places(asked)
    return asked


def figure_of(component: str, metric: str) -> Figure:
    """Raises: InputError naming the metrics that there are, or the component it belongs to."""
    figure = FIGURES.get(metric)
    if figure is None:
        raise errors.InputError(
            "There is no such metric.", where="metric", hint=f"One of {', '.join(sorted(FIGURES))}."
        )
    if figure.component != component:
        raise errors.InputError(
            f"{metric} is no metric of this component.",
            where="component",
            hint=f"It is of {figure.component}.",
        )
    return figure


def _group(figure: Figure, group_by: str | None) -> str:
    if group_by in (None, LEAD):
        return LEAD
    if group_by not in figure.dimensions:
        raise errors.InputError(
            f"{figure.name} can't be divided by this.", where="group_by", hint=_allowed(figure, LEAD)
        )
    return str(group_by)


def _filters(figure: Figure, given: Mapping[str, object]) -> dict[str, tuple[Key, ...]]:
    for name in given:
        if name not in figure.dimensions:
            raise errors.InputError(
                f"{figure.name} has no such filter.", where=f"filters.{name[:40]}", hint=_allowed(figure)
            )
    return {name: dimensions.values_of(Dimension(name), value) for name, value in given.items()}


def _allowed(figure: Figure, *more: str) -> str:
    return f"One of {', '.join(sorted([*figure.dimensions, *more]))}."


def _check_places(asked: DrillQuestion) -> None:
    """Raises: ForbiddenError for a location that is not theirs."""
    seen = {office.id for office in asked.offices}
    if not seen.issuperset(dict(asked.filters).get(Dimension.LOCATION, ())):
        raise question.not_yours("filters.location")


async def answer(deps: Deps, asked: DrillQuestion) -> dict[str, Any]:
    """Ids and numbers only; `named` adds what they are called. Raises: InputError (cursor, bot), TooMuchError."""
    now = deps.clock.now()
    place = await paging.opened(deps, asked.cursor, asked.bound_to, now) if asked.cursor else None
    as_of = place.as_of if place else now
    async with question.opened(deps, asked.scope) as connection:
        drill = await _drill(connection, asked, as_of, pinned=place is not None)
        found, following = await drill.page(place)
        watermark = await newest.event(connection, asked.scope, as_of)
    cursor = await paging.sealed(deps, following, asked.bound_to) if following else None
    figure = drill.division.figure
    return {
        "component": figure.component.value,
        "metric": figure.name,
        "title": figure.title,
        "definition": figure.definition,
        "unit": figure.unit.value,
        "timeframe": asked.timeframe,
        "locations": [office.id for office in drill.division.calendar.offices],
        "group_by": asked.group_by,
        "dimensions": sorted([*figure.dimensions, LEAD]),
        **found,
        "next_cursor": cursor,
        **question.stamps(as_of, watermark, found["source"], told_at=now),
    }


async def _drill(connection: Connection, asked: DrillQuestion, as_of: datetime, *, pinned: bool) -> _Drill:
    filters = dict(asked.filters)
    bots = await names_store.of_bots(connection)
    offices = asked.offices
    if wanted := filters.pop(Dimension.LOCATION, None):
        offices = tuple(office for office in offices if office.id in wanted)
    if Dimension.BOT in filters:
        filters[Dimension.BOT] = _bot_keys(filters[Dimension.BOT], bots)
    whole = asked.scope.whole and len(offices) == len(asked.offices)
    calendar = replace(asked.calendar(as_of), offices=offices, whole=whole)
    division = Division(
        figure=FIGURES[asked.metric],
        timeframe=asked.timeframe,
        calendar=calendar,
        by=asked.group_by,
        filters=filters,
        received_by=as_of if pinned else None,
    )
    return _Drill(connection=connection, asked=asked, division=division, bots=bots)


def _bot_keys(wanted: Sequence[Key], bots: dimensions.Bots) -> tuple[Key, ...]:
    by_id = {bot_id: key for key, (bot_id, _) in bots.items()}
    for bot_id in wanted:
        if bot_id not in by_id:
            # Their names are not listed: other offices may have bots of their own.
            raise errors.InputError(
                "There is no such bot.", where="filters.bot", hint="GET /api/bi/bot-performance names yours."
            )
    return tuple(sorted(by_id[str(bot_id)] for bot_id in wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drill:
    connection: Connection
    asked: DrillQuestion
    division: Division
    bots: dimensions.Bots

    async def page(self, place: Place | None) -> tuple[dict[str, Any], Place | None]:
        """What the answer says of it, and where the next page begins."""
        if self.asked.group_by == LEAD:
            return await self._leads(place)
        found = await self._divided(place)
        order = self._order(found) if place is None else place.order
        ordered = breakdown.in_order(found.rows, order)
        if place is not None:
            ordered = [(row, key) for row, key in ordered if list(key) > list(place.after)]
        shown = ordered[: self.asked.limit]
        following = None
        if len(ordered) > len(shown):
            following = Place(as_of=self._as_of, order=order, after=list(shown[-1][1]))
        names = dimensions.Names(
            offices={office.key: office for office in self.division.calendar.offices},
            bots=self.bots,
            agents={},
        )
        rows = [names.told(self.asked.group_by, row.key) | _numbers(row) for row, _ in shown]
        return {"total": await self._told(found.total), "rows": rows, "source": found.source}, following

    async def _divided(self, place: Place | None) -> Breakdown:
        if self.asked.group_by != Dimension.HOUR:
            return await breakdown.of(self.connection, self.division)
        after = None if place is None else int(place.after[1])
        return await breakdown.hours(self.connection, self.division, after, self.asked.limit)

    @property
    def _as_of(self) -> datetime:
        return self.division.calendar.now

    def _order(self, found: Breakdown) -> str:
        """Times as they follow; else the largest first, unless new events could shuffle pages that come later."""
        if self.asked.group_by in _TIMES or not (found.pinned or len(found.rows) <= self.asked.limit):
            return "key"
        return "value"

    async def _leads(self, place: Place | None) -> tuple[dict[str, Any], Place | None]:
        page = await behind.page(self.connection, self.division, place, self.asked.limit)
        ids = [one.lead_id for one in page.found if one.lead_id]
        known = await leads_store.leads(self.connection, ids)
        amounts: dict[str, list[leads_store.Amount]] | None = None
        if self.asked.sees(Permission.SEE_MONEY):
            amounts = {}
            for one in await leads_store.amounts(self.connection, ids):
                amounts.setdefault(one.lead_id, []).append(one)
        places = {office.key: office.id for office in self.asked.offices}
        rows = [
            behind.told(one, known.get(one.lead_id or ""), amounts, places, dated=page.dated)
            for one in page.found
        ]
        total = place.total if place else await self._total()
        following = None
        if page.after:
            following = Place(as_of=self._as_of, order=page.order, after=page.after, total=total)
        return {"total": total, "rows": rows, "source": "facts"}, following

    async def _total(self) -> dict[str, Any]:
        """What the leads add up to."""
        return await self._told(await breakdown.undivided(self.connection, self.division))

    async def _told(self, total: Row) -> dict[str, Any]:
        """The figure, with the note of its tile where there is no data."""
        found = await breakdown.or_no_data(self.connection, self.division, total)
        return _numbers(found) | {"note": compare.NO_DATA if found.value is None else None}


def _numbers(row: Row) -> dict[str, Any]:
    return {"value": row.value, "n": row.n, "parts": dict(row.parts)}


async def named(deps: Deps, asked: DrillQuestion, found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with names of leads and agents, read where they are kept: never out of a cache."""
    rows: list[dict[str, Any]] = [dict(row) for row in found["rows"]]
    by_lead, by_agent = asked.group_by == LEAD, asked.group_by == Dimension.AGENT
    agents = {row["agent_id" if by_lead else "key"] for row in rows} if by_lead or by_agent else set()
    leads = {row["lead_id"] for row in rows} if by_lead else set()
    async with deps.pool.acquire() as connection:
        agent_names = await names_store.of_agents(connection, agents - {None})
        places = [office.id for office in asked.offices]
        lead_names = await names_store.of_leads(connection, leads - {None}, places)
    for row in rows:
        if by_lead:
            row["name"] = lead_names.get(row["lead_id"] or "")
            row["agent"] = agent_names.get(row["agent_id"] or "")
        elif by_agent:
            row["label"] = agent_names.get(row["key"] or "", dimensions.UNKNOWN)
    return {**found, "rows": rows}
