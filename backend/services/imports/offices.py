"""Where an office lies that nobody has told us of: the commonest state of the first rows, its zone, their middle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from backend.services.imports import cells, csvfile, places, products
from backend.services.imports.kinds import Reader
from backend.storage import users
from domain import errors, zones

LOOKED_AT = 500


def is_unplaced(office: users.Location) -> bool:
    return not office.state and office.zone == "UTC"


def placed(
    office: users.Location, layout: products.Layout, records: Iterable[csvfile.Record]
) -> tuple[users.Location, tuple[float, float] | None]:
    """The office with state and zone, and its middle; as it was where the rows do not tell."""
    reader = Reader(layout.places)
    states: Counter[str] = Counter()
    points = []
    for record in records:
        if record.fault:
            continue
        area = places.zip_area(cells.zip_code(reader.text(record.cells, "zip")))
        state = area.state if area else reader.text(record.cells, "state").upper()
        if state in zones.STATE_ZONES:
            states[state] += 1
        if point := _point(reader, record.cells, area):
            points.append(point)
    if not states:
        return office, None
    state = states.most_common(1)[0][0]
    middle = (median(lat for lat, _ in points), median(lon for _, lon in points)) if points else None
    return replace(office, state=state, zone=zones.STATE_ZONES[state][0]), middle


def _point(reader: Reader, row: list[str], area: places.ZipArea | None) -> tuple[float, float] | None:
    try:
        lat, lon = places.coordinates(reader, row)
    except errors.InputError:
        return None
    if lat is not None and lon is not None:
        return lat, lon
    return (area.lat, area.lon) if area else None
