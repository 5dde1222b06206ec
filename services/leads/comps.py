"""The worth of a lead's house by comparable sales, as a screen shows it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from domain import comps, errors, geo
from services.leads.values import CompItem, CompsView
from storage import database, leads, nearby, properties

_MONTHS = 24
_SOURCE = "sold properties on this device"


def view(reads: database.Reads, lead_id: str, now: datetime) -> CompsView:
    """As of today, or as of the day after the newest sale around where the data is old. Raises: NotFoundError."""
    lead = leads.get(reads, lead_id)
    if lead is None:
        raise errors.NotFoundError("This lead is not on this device (any more).", where=f"leads {lead_id}")
    house = _house(lead, properties.of_lead(reads, lead_id))
    if house is None:
        return _none("The lead's house has no position on the map yet: complete its address.")
    box = _box(house)
    newest = nearby.newest_sale(reads, box)
    if newest is None:
        return _none("There are no sales around in this device's data.")
    as_of = min(now.date(), newest + timedelta(days=1))
    found = properties.sold_in_box(reads, box, since=as_of - timedelta(days=31 * _MONTHS))
    sales = [sale for item in found if (sale := _sale(item)) is not None and item.lead_id != lead_id]
    return _shown(comps.estimate(house, sales, as_of))


def _house(lead: leads.Lead, owned: list[properties.Property]) -> comps.House | None:
    """The lead's own property where one is known, else only where it stands."""
    own = next((item for item in owned if item.lat is not None and item.status != "sold"), None)
    if own is not None and own.lat is not None and own.lon is not None:
        return comps.House(
            lat=own.lat,
            lon=own.lon,
            sqft=own.sqft,
            lot_sqft=own.lot_sqft,
            beds=own.beds,
            baths=own.baths,
            year_built=own.year_built,
            condition=own.condition,
            grade=own.grade,
        )
    if lead.lat is None or lead.lon is None:
        return None
    return comps.House(lat=lead.lat, lon=lead.lon)


def _sale(found: properties.Property) -> comps.Sale | None:
    if found.lat is None or found.lon is None or not found.price_cents or found.price_on is None:
        return None
    return comps.Sale(
        id=found.id,
        address=found.address or "",
        price_cents=found.price_cents,
        sold_on=found.price_on,
        lat=found.lat,
        lon=found.lon,
        sqft=found.sqft,
        lot_sqft=found.lot_sqft,
        beds=found.beds,
        baths=found.baths,
        year_built=found.year_built,
        condition=found.condition,
        grade=found.grade,
    )


def _box(house: comps.House) -> leads.Box:
    south, north, west, east = geo.around(house.lat, house.lon, comps.STEPS[-1].miles * geo.KM_PER_MILE)
    return leads.Box(south=south, west=west, north=north, east=east)


def _shown(found: comps.Estimate) -> CompsView:
    return CompsView(
        value_cents=found.value_cents,
        low_cents=found.low_cents,
        high_cents=found.high_cents,
        confidence=found.confidence.value if found.confidence else "",
        method=found.basis,
        searched=found.text(),
        source=_SOURCE,
        as_of=found.as_of,
        items=tuple(_item(comp) for comp in found.comps),
        why_not=found.refusal,
    )


def _item(comp: comps.Comp) -> CompItem:
    return CompItem(
        id=comp.sale.id,
        address=comp.sale.address,
        km=comp.miles * geo.KM_PER_MILE,
        sold_on=comp.sale.sold_on,
        price_cents=comp.sale.price_cents,
        adjusted_cents=comp.value_cents,
        adjustments=(("market since", comp.time_cents), *comp.adjustments),
        weight=comp.weight,
        sqft=None if comp.sale.sqft is None else int(comp.sale.sqft),
        beds=comp.sale.beds,
        baths=comp.sale.baths,
    )


def _none(why: str, as_of: date | None = None) -> CompsView:
    return CompsView(
        value_cents=None,
        low_cents=None,
        high_cents=None,
        confidence="",
        method="",
        searched="",
        source=_SOURCE,
        as_of=as_of,
        items=(),
        why_not=why,
    )
