"""Where a row lies: coordinates of the file, else the middle of its ZIP code (approximate, and said so)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import zipcodes

from backend.services.imports import cells
from backend.services.imports.kinds import Context, Reader
from domain import errors

APPROXIMATE_TAG = "approximate location (ZIP)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipArea:
    city: str
    state: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    address: str | None
    city: str | None
    state: str | None
    zip: str | None
    lat: float | None
    lon: float | None
    approximate: bool


@lru_cache(maxsize=4096)
def zip_area(code: str) -> ZipArea | None:
    """The middle of a US ZIP code's area, offline (package zipcodes; a house lies about 2 km from it)."""
    if len(code) != 5 or not code.isdigit():
        return None
    found = zipcodes.matching(code)  # type: ignore[no-untyped-call]
    if not found or not found[0]["lat"]:
        return None
    first = found[0]
    return ZipArea(
        city=first["city"], state=first["state"], lat=float(first["lat"]), lon=float(first["long"])
    )


def read(context: Context, reader: Reader, row: list[str]) -> Place:
    """Raises: InputError for broken coordinates."""
    code = cells.zip_code(reader.text(row, "zip")) or None
    area = zip_area(code) if code else None
    lat, lon = coordinates(reader, row)
    approximate = lat is None and area is not None
    if approximate:
        context.counts["approximate"] += 1
    return Place(
        address=reader.text(row, "address") or None,
        city=reader.text(row, "city") or (area.city if area else None),
        state=reader.text(row, "state") or (area.state if area else None),
        zip=code,
        lat=area.lat if approximate and area else lat,
        lon=area.lon if approximate and area else lon,
        approximate=approximate,
    )


def coordinates(reader: Reader, row: list[str]) -> tuple[float | None, float | None]:
    """Both or none; 0, 0 means unknown. Raises: InputError."""
    lat = reader.read(row, "lat", lambda text: cells.coordinate(text, 90))
    lon = reader.read(row, "lon", lambda text: cells.coordinate(text, 180))
    if (lat is None) != (lon is None):
        raise errors.InputError("lat, lon: only one of the two coordinates is there")
    return (None, None) if lat == 0 and lon == 0 else (lat, lon)
