"""The command centre's figures: tiles as the server sent them, and the leads behind each from this device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import deals, errors, periods
from domain import kpis as rules
from domain import leads as stages
from services.desk import Desk
from services.kpis import tiles
from services.kpis.values import Drill, Slice, TileSet
from services.leads import shown
from services.leads.values import LeadItem
from storage import kpi_leads, kpis, leads, locations, people
from storage.kpi_leads import Case

__all__ = ["Drill", "Kpis", "Slice", "TileSet"]
_DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "revenue_pipeline": ("stage", "agent", "source", "location"),
    "active_leads": ("temperature", "stage", "agent", "source", "location"),
    "hot_leads": ("late", "agent", "source", "stage", "location"),
    "bot_success": ("bot", "temperature", "stage", "source"),
    "ml_response": (),
}
_KEYS: Mapping[str, Callable[[Case], str]] = {
    "stage": lambda case: case.stage,
    "temperature": lambda case: case.temperature,
    "source": lambda case: case.source,
    "agent": lambda case: case.agent_id,
    "location": lambda case: case.location_id,
    "late": lambda case: "late" if case.late else "in_time",
    "bot": lambda case: case.bot,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """Figures for managers and admins. `location_id` empty = all of this person's locations."""

    desk: Desk

    def tiles(self, timeframe: str = "30d", location_id: str = "") -> TileSet:
        """The five tiles; without any from the server, what this device can count. Raises: InputError, ForbiddenError."""
        self._check(timeframe, location_id)
        stored = kpis.listed(self.desk.db, location_id=location_id, timeframe=timeframe)
        read = [
            tiles.from_json(tile.tile, tile.as_of) for name, tile in stored.items() if name in tiles.NAMES
        ]
        found = sorted(
            (tile for tile in read if tile is not None), key=lambda tile: tiles.NAMES.index(tile.name)
        )
        if not found:
            return self._counted_here(timeframe, location_id)
        return TileSet(
            location_id=location_id,
            timeframe=timeframe,
            tiles=tuple(found),
            as_of=max(tile.as_of for tile in found),
            source="server",
        )

    def locations(self) -> tuple[tuple[str, str], ...]:
        """This person's locations, as id and name."""
        mine = set(self.desk.user.location_ids)
        return tuple((place.id, place.name) for place in locations.listed(self.desk.db) if place.id in mine)

    def drill(
        self,
        metric: str,
        timeframe: str = "30d",
        location_id: str = "",
        *,
        filters: Mapping[str, str] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Drill:
        """Behind a figure: its parts by each dimension, and its leads. `filters`: chosen parts, dimension → key.

        Raises: InputError, ForbiddenError.
        """
        self._check(timeframe, location_id)
        chosen = dict(filters or {})
        if metric not in _DIMENSIONS or chosen.keys() - set(_DIMENSIONS[metric]):
            raise errors.InputError(
                "There is no such breakdown.", where=metric, hint="Start from the tile again."
            )
        cases = [
            case
            for case in self._cases(metric, timeframe, location_id)
            if all(_KEYS[name](case) == key for name, key in chosen.items())
        ]
        labels = _Labels(self.desk)
        tile = self._tile(metric, cases, location_id, self.desk.now())
        weighted = deals.weighted_parts([tiles.open_deal(case) for case in cases]) if _is_money(cases) else []
        lead_ids = list(dict.fromkeys(case.lead_id for case in cases if case.lead_id))
        return Drill(
            metric=metric,
            title=tile.title,
            definition=tile.definition,
            timeframe=timeframe,
            location_id=location_id,
            value=tile.value,
            unit=tile.unit,
            filters=tuple((name, key, labels.of(name, key)) for name, key in chosen.items()),
            breakdowns={
                name: _slices(name, cases, weighted, labels)
                for name in _DIMENSIONS[metric]
                if name not in chosen
            },
            leads=self._leads(lead_ids[offset : offset + limit]),
            total=len(lead_ids),
            offset=offset,
            as_of=self.desk.as_of(),
            note=_NOTES.get(metric, ""),
        )

    def _counted_here(self, timeframe: str, location_id: str) -> TileSet:
        """Counted now from what this device has; nothing was ever loaded = no data yet."""
        as_of = self.desk.as_of()
        if as_of is None:
            return TileSet(
                location_id=location_id, timeframe=timeframe, tiles=(), as_of=None, source="device"
            )
        active = self._cases("active_leads", timeframe, location_id)
        found = {
            "revenue_pipeline": self._cases("revenue_pipeline", timeframe, location_id),
            "active_leads": active,
            "hot_leads": tiles.hot_cases(active),
        }
        return TileSet(
            location_id=location_id,
            timeframe=timeframe,
            tiles=tuple(self._tile(name, found.get(name, ()), location_id, as_of) for name in tiles.NAMES),
            as_of=as_of,
            source="device",
        )

    def _cases(self, metric: str, timeframe: str, location_id: str) -> list[Case]:
        db, now = self.desk.db, self.desk.now()
        match metric:
            case "revenue_pipeline":
                # A stage that only a newer server knows has no odds here: left out, and `n` says so.
                found = kpi_leads.in_pipe(db, location_id=location_id)
                return [case for case in found if stages.known_stage(case.stage)]
            case "active_leads":
                return kpi_leads.active(db, now, location_id=location_id)
            case "hot_leads":
                return tiles.hot_cases(kpi_leads.active(db, now, location_id=location_id))
            case "bot_success":
                period = periods.rolling(timeframe, now)
                return kpi_leads.talked(db, since=period.start, until=period.end, location_id=location_id)
            case _:
                return []

    def _tile(self, metric: str, cases: Sequence[Case], location_id: str, as_of: datetime) -> rules.Tile:
        """0 is none; null that there is no lead, or no deal, at all."""
        db = self.desk.db
        match metric:
            case "revenue_pipeline":
                known = bool(cases) or kpi_leads.any_deal(db, location_id=location_id)
                return tiles.pipeline(cases, as_of, known=known)
            case "active_leads" | "hot_leads":
                known = bool(cases) or kpi_leads.any_lead(db, location_id=location_id)
                return (tiles.active if metric == "active_leads" else tiles.hot)(cases, as_of, known=known)
            case _:
                return tiles.only_on_server(metric, as_of)

    def _leads(self, lead_ids: Sequence[str]) -> tuple[LeadItem, ...]:
        found = leads.many(self.desk.db, lead_ids)
        names, words = people.names(self.desk.db), self.desk.words("leads")
        return tuple(shown.item(found[lead_id], names, words) for lead_id in lead_ids if lead_id in found)

    def _check(self, timeframe: str, location_id: str) -> None:
        if timeframe not in periods.TIMEFRAMES:
            choices = ", ".join(periods.TIMEFRAMES)
            raise errors.InputError(
                "There is no such period.", where="timeframe", hint=f"Choose one of: {choices}."
            )
        if location_id:
            self.desk.home_location(location_id)


class _Labels:
    """Names behind keys, read once."""

    def __init__(self, desk: Desk) -> None:
        self._people = people.names(desk.db)
        self._locations = {found.id: found.name for found in locations.listed(desk.db)}

    def of(self, dimension: str, key: str) -> str:
        if dimension == "agent":
            return self._people.get(key, "nobody" if not key else "someone unknown here")
        if dimension == "location":
            return self._locations.get(key, key)
        return key or "unknown"


def _slices(
    dimension: str, cases: Sequence[Case], weighted: Sequence[int], labels: _Labels
) -> tuple[Slice, ...]:
    """Largest first; weighted amounts sum to the figure exactly."""
    groups: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        groups.setdefault(_KEYS[dimension](case), []).append(index)
    slices = [
        Slice(
            key=key,
            label=labels.of(dimension, key),
            count=len(members),
            share=len(members) / len(cases),
            amount_cents=sum(weighted[index] for index in members) if weighted else None,
        )
        for key, members in groups.items()
    ]
    return tuple(sorted(slices, key=lambda part: (-(part.amount_cents or 0), -part.count, part.label)))


def _is_money(cases: Sequence[Case]) -> bool:
    return bool(cases) and bool(cases[0].deal_id)


_NOTES: Mapping[str, str] = {
    "ml_response": "This figure times the server's scoring: no leads stand behind it.",
    "bot_success": "The leads that bots talked with and that replied; conversations are counted on the server.",
}
