"""Whom to see next from here: leads by the explainable rank, and what sold around."""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from geopy.distance import geodesic

from domain import contact, errors, geo, phones, ports, ranking, scoring
from services import lead_answers
from services.desk import Desk
from services.nearby.values import NearbyLead, NearbyList, NearbySale, SalesList
from services.sync_words import Words
from storage import leads, nearby, properties
from storage.nearby import LeadPoint

__all__ = ["Nearby", "NearbyLead", "NearbyList", "NearbySale", "SalesList"]
NEAREST = 3
FAR_KM = 100.0
_UNSURE = 0.001  # near distance against geodesic
_WIDER = 0.006  # great circle, of which the box is made, against ellipsoid
MAX_RADIUS_KM = 300.0

Ranked = tuple[float, float | None, LeadPoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """Leads and sales around a place."""

    desk: Desk

    def ranked(
        self,
        place: ports.Position,
        *,
        radius_km: float,
        hot_only: bool = False,
        only_mine: bool = True,
        limit: int = 50,
    ) -> NearbyList:
        """Leads within the radius, whom to see next first. Raises: InputError for a radius that is none."""
        _check(place, radius_km)
        agent_id = self.desk.user.id if only_mine else None
        wide = nearby.leads_in_box(
            self.desk.db, _box(place, 2 * radius_km), agent_id=agent_id, hot_only=hot_only
        )
        placed = [(_km(place, point), point) for point in wide]
        inside = [(km, point) for km, point in placed if _reaches(place, *_at(point), radius_km, km)]
        items = self._items(place, inside, limit)
        return NearbyList(
            place=place,
            radius_km=radius_km,
            items=items,
            within=len(inside),
            beyond=sum(km <= 2 * radius_km for km, _ in placed) - len(inside),
            nearest=() if inside else self._nearest(place, agent_id, hot_only=hot_only),
            unplaced=nearby.count_unplaced(self.desk.db, agent_id=agent_id),
            as_of=self.desk.as_of(),
        )

    def by_urgency(self, *, hot_only: bool = False, only_mine: bool = True, limit: int = 50) -> NearbyList:
        """Where nobody knows the place: score and urgency alone, as if all were here."""
        agent_id = self.desk.user.id if only_mine else None
        points = nearby.leads_anywhere(self.desk.db, agent_id=agent_id, hot_only=hot_only)
        return NearbyList(
            place=None,
            radius_km=0.0,
            items=self._items(None, [(None, point) for point in points], limit),
            within=len(points),
            beyond=0,
            nearest=(),
            unplaced=nearby.count_unplaced(self.desk.db, agent_id=agent_id),
            as_of=self.desk.as_of(),
        )

    def sales(
        self, place: ports.Position, *, radius_km: float, since: date | None = None, limit: int = 50
    ) -> SalesList:
        """What sold around a place, the nearest first. Raises: InputError."""
        _check(place, radius_km)
        points = nearby.sales_in_box(self.desk.db, _box(place, radius_km), since=since)
        near = _within(place, points, radius_km)
        found = properties.many(self.desk.db, [row_id for _, row_id, _ in heapq.nsmallest(limit, near)])
        items = [_sale(place, sale) for sale in found.values()]
        return SalesList(
            items=tuple(sorted(items, key=lambda item: (item.km, item.id))),
            within=len(near),
            median_price_cents=round(statistics.median(cents for *_, cents in near)) if near else None,
            radius_km=radius_km,
            as_of=self.desk.as_of(),
        )

    def _nearest(
        self, place: ports.Position, agent_id: str | None, *, hot_only: bool
    ) -> tuple[NearbyLead, ...]:
        """The three nearest within 100 km, whatever the radius; else the three nearest of all."""
        points = nearby.leads_in_box(self.desk.db, _box(place, FAR_KM), agent_id=agent_id, hot_only=hot_only)
        if not points:
            points = nearby.leads_anywhere(self.desk.db, agent_id=agent_id, hot_only=hot_only)
        placed = [(_km(place, point), point) for point in points if point.lat is not None]
        placed.sort(key=lambda item: item[0])
        items = self._items(place, placed[:NEAREST], NEAREST)
        return tuple(sorted(items, key=lambda item: item.km or 0.0))

    def _items(
        self, place: ports.Position | None, points: Sequence[tuple[float | None, LeadPoint]], limit: int
    ) -> tuple[NearbyLead, ...]:
        now = self.desk.now()
        clocks = _Clocks(now)
        best = sorted(
            ((_points(point, km, clocks, now), km, point) for km, point in points),
            key=lambda item: (-item[0], item[2].id),
        )[:limit]
        found = leads.many(self.desk.db, [point.id for *_, point in best])
        words = self.desk.words("leads")
        items = [
            self._item(found[point.id], point, place, clocks, words)
            for *_, point in best
            if point.id in found
        ]
        return tuple(sorted(items, key=lambda item: (-item.rank, item.id)))

    def _item(
        self, lead: leads.Lead, point: LeadPoint, place: ports.Position | None, clocks: _Clocks, words: Words
    ) -> NearbyLead:
        now = self.desk.now()
        km = None if place is None else _exact_km(place, point)
        urgency = _urgency(point, clocks, now)
        rank = ranking.rank(*_factors(point, km, urgency))
        left = None if lead.answer_due_at is None else (lead.answer_due_at - now).total_seconds() / 60
        return NearbyLead(
            id=lead.id,
            name=lead.name,
            kind=lead.kind,
            stage=lead.stage,
            temperature=lead.temperature or "",
            score=lead.score,
            phone=lead.phone or "",
            address=lead.address or "",
            lat=lead.lat if lead.lat is not None else 0.0,
            lon=lead.lon if lead.lon is not None else 0.0,
            price_cents=lead.price_cents,
            mine=lead.agent_id == self.desk.user.id,
            qualified=lead_answers.is_qualified(lead),
            rank=rank.value,
            bars=rank.bars,
            reasons=urgency.reasons,
            km=km,
            minutes=None if km is None else ranking.drive_minutes(km),
            contact_text=clocks.window(point).text(),
            call_allowed=clocks.allows("call", lead),
            text_allowed=clocks.allows("text", lead),
            opted_out=bool(lead.opted_out),
            answer_due_at=lead.answer_due_at,
            answer_minutes_left=left,
            sync=words(lead.id),
        )


class _Clocks:
    """The legal hours at one moment, worked out once for each state, ZIP code and area code."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._windows: dict[_Where, contact.Window] = {}
        self._decisions: dict[tuple[object, ...], bool] = {}

    def window(self, lead: LeadPoint | leads.Lead) -> contact.Window:
        where = _where(lead)
        if where not in self._windows:
            self._windows[where] = contact.window(_place(lead), self._now)
        return self._windows[where]

    def allows(self, channel: str, lead: leads.Lead) -> bool:
        key = (channel, _where(lead), lead.opted_out, lead.consent_text, lead.consent_call)
        if key not in self._decisions:
            self._decisions[key] = contact.may_contact(
                channel,
                _place(lead),
                self._now,
                opted_out=bool(lead.opted_out),
                consent_text=lead.consent_text,
                consent_call=lead.consent_call,
            ).allowed
        return self._decisions[key]


_Where = tuple[str | None, str | None, str]


def _where(lead: LeadPoint | leads.Lead) -> _Where:
    return lead.state, lead.zip, phones.prefix(lead.phone or "")


def _place(lead: LeadPoint | leads.Lead) -> contact.Place:
    return contact.Place(state=lead.state, zip=lead.zip, phone=lead.phone)


def _urgency(point: LeadPoint, clocks: _Clocks, now: datetime) -> ranking.Urgency:
    presses = point.answer_due_at is not None or point.task_due_at is not None
    return ranking.urgency(
        now,
        answer_due_at=point.answer_due_at,
        task_due_at=point.task_due_at,
        window_minutes_left=clocks.window(point).minutes_left if presses else None,
    )


def _points(point: LeadPoint, km: float | None, clocks: _Clocks, now: datetime) -> float:
    return ranking.points(*_factors(point, km, _urgency(point, clocks, now)))


def _factors(point: LeadPoint, km: float | None, urgency: ranking.Urgency) -> tuple[float, float, float]:
    """An unknown score counts as neutral, never as zero; an unknown place as here."""
    score = 100 * scoring.NEUTRAL if point.score is None else point.score
    return score, urgency.value, 0.0 if km is None else ranking.drive_minutes(km)


def _at(point: LeadPoint) -> tuple[float, float]:
    assert point.lat is not None
    assert point.lon is not None
    return point.lat, point.lon


def _km(place: ports.Position, point: LeadPoint) -> float:
    return geo.near_km(place.lat, place.lon, *_at(point))


def _exact_km(place: ports.Position, point: LeadPoint) -> float | None:
    if point.lat is None or point.lon is None:
        return None
    return float(geodesic((place.lat, place.lon), (point.lat, point.lon)).km)


def _reaches(
    place: ports.Position, lat: float, lon: float, radius_km: float, km: float | None = None
) -> bool:
    """The quick distance decides, but at the very edge, where only the geodesic does."""
    near = geo.near_km(place.lat, place.lon, lat, lon) if km is None else km
    if abs(near - radius_km) > _UNSURE * radius_km:
        return near <= radius_km
    return float(geodesic((place.lat, place.lon), (lat, lon)).km) <= radius_km


def _box(place: ports.Position, km: float) -> leads.Box:
    south, north, west, east = geo.around(place.lat, place.lon, km * (1 + _WIDER))
    return leads.Box(south=south, west=west, north=north, east=east)


def _check(place: ports.Position, radius_km: float) -> None:
    if not 0 < radius_km <= MAX_RADIUS_KM:
        raise errors.InputError(
            "This is no radius.", where="radius", hint=f"Give more than 0 and at most {MAX_RADIUS_KM:g} km."
        )
    if not (-90 <= place.lat <= 90 and -180 <= place.lon <= 180):
        raise errors.InputError(
            "This is no place on the earth.", where="place", hint="Type an address instead."
        )


def _within(
    place: ports.Position, points: Iterable[nearby.SalePoint], radius_km: float
) -> list[tuple[float, str, int]]:
    """(about km², id, price) of what lies inside: on a flat map, with the ellipsoid asked only near the edge."""
    per_degree = math.radians(1) * geo.EARTH_KM
    narrow = per_degree * math.cos(math.radians(place.lat))
    slack = 0.01 + 1.5 * abs(math.tan(math.radians(place.lat))) * radius_km / geo.EARTH_KM
    surely, maybe = (radius_km * max(0.0, 1 - slack)) ** 2, (radius_km * (1 + slack)) ** 2
    lat0, lon0, found = place.lat, place.lon, []
    for row_id, lat, lon, cents in points:
        flat = ((lat - lat0) * per_degree) ** 2 + ((lon - lon0) * narrow) ** 2
        if flat <= surely or (flat <= maybe and _reaches(place, lat, lon, radius_km)):
            found.append((flat, row_id, cents))
    return found


def _sale(place: ports.Position, sale: properties.Property) -> NearbySale:
    assert sale.lat is not None
    assert sale.lon is not None
    price = sale.price_cents or 0
    return NearbySale(
        id=sale.id,
        address=sale.address or "",
        km=float(geodesic((place.lat, place.lon), (sale.lat, sale.lon)).km),
        lat=sale.lat,
        lon=sale.lon,
        price_cents=price,
        sold_on=sale.price_on,
        beds=sale.beds,
        baths=sale.baths,
        sqft=sale.sqft,
        year_built=sale.year_built,
        cents_per_sqft=round(price / sale.sqft) if sale.sqft else None,
    )
