"""Where a typed address is, with no network: a known house, a pair of degrees, a ZIP code, a city."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import zipcodes

from domain import errors, ports
from services.desk import Desk
from storage import nearby

_PAIR = re.compile(
    r"\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*([NSns])?\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*([EWew])?\s*\Z"
)
_ZIP = re.compile(r"\b(\d{5})(?:-\d{4})?\s*\Z")
_CITY = re.compile(r"(?:.*,)?\s*([A-Za-z .'-]+?)\s*,?\s+([A-Za-z]{2})\s*\Z")
_LONGEST = 200
ZIP_ACCURACY_M, CITY_ACCURACY_M = 3_000.0, 8_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Typed words to places; exact where the house is known, else the middle of the ZIP code or city."""

    desk: Desk

    def find(self, words: str) -> ports.Position:
        """The best match. Raises: InputError that says what would match."""
        return self.suggest(words)[0]

    def suggest(self, words: str, *, limit: int = 5) -> tuple[ports.Position, ...]:
        """Matches, the best first. `accuracy_m` None = exact. Raises: InputError where nothing matches."""
        text = " ".join(words[:_LONGEST].split())
        found = _pair(text) or self._houses(text, limit) or _by_zip(text) or _by_city(text)
        if not found:
            raise errors.InputError(
                f"“{text[:60]}” is no place that this device knows." if text else "No address was typed.",
                where="address",
                hint="Type a street of a lead or sale, a ZIP code, a city with its state (Austin, TX), or degrees.",
            )
        return tuple(found[:limit])

    def of_address(self, fields: Mapping[str, Any]) -> tuple[float, float] | None:
        """For a lead's address without a position: the known house, else the middle of its ZIP code."""
        street, zip_code = str(fields.get("address") or ""), str(fields.get("zip") or "")
        found = self._houses(street, 1) if street else []
        found = found or _by_zip(zip_code)
        return (found[0].lat, found[0].lon) if found else None

    def _houses(self, text: str, limit: int) -> list[ports.Position]:
        """Known addresses that begin with what was typed before the first comma."""
        street = text.split(",")[0].strip()
        if len(street) < 3 or street.isdigit():
            return []
        known = nearby.address_like(self.desk.db, street, limit=limit)
        return [ports.Position(lat=lat, lon=lon, label=label) for label, lat, lon in known]


def _pair(text: str) -> list[ports.Position]:
    match = _PAIR.match(text)
    if match is None or "." not in text:
        return []
    lat, lon = float(match[1]), float(match[3])
    lat = -abs(lat) if (match[2] or "").upper() == "S" else lat
    lon = -abs(lon) if (match[4] or "").upper() == "W" else lon
    if abs(lat) > 90 or abs(lon) > 180:
        return []
    return [ports.Position(lat=lat, lon=lon, label=f"{lat:.4f}, {lon:.4f}")]


def _by_zip(text: str) -> list[ports.Position]:
    match = _ZIP.search(text)
    found = zipcodes.matching(match[1]) if match else []  # type: ignore[no-untyped-call]
    return [
        _position(found, f"{row['city']}, {row['state']} {row['zip_code']}", ZIP_ACCURACY_M)
        for row in found[:1]
    ]


def _by_city(text: str) -> list[ports.Position]:
    match = _CITY.match(text)
    if match is None:
        return []
    city, state = match[1].strip().title(), match[2].upper()
    found = zipcodes.filter_by(city=city, state=state)  # type: ignore[no-untyped-call]
    return [_position(found, f"{city}, {state}", CITY_ACCURACY_M)] if found else []


def _position(rows: Sequence[Mapping[str, str]], label: str, accuracy_m: float) -> ports.Position:
    """The middle of the ZIP codes; the median keeps a far one from pulling it away."""
    return ports.Position(
        lat=statistics.median(float(row["lat"]) for row in rows),
        lon=statistics.median(float(row["long"]) for row in rows),
        accuracy_m=accuracy_m,
        label=label,
    )
