"""Distances on the earth."""

from __future__ import annotations

import math

EARTH_KM = 6371.0088
KM_PER_MILE = 1.609344
_EQUATOR_KM = 6378.137
_FLAT2 = 0.00669437999014  # first eccentricity, squared


def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance; within 0.5 % of the ellipsoid's."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    a = (
        math.sin((phi2 - phi1) / 2) ** 2
        + math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))


def near_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance on the ellipsoid (WGS 84), as if it were flat around the middle: within 0.1 % up to 300 km and 70°."""
    middle = math.radians((lat1 + lat2) / 2)
    curved = 1 - _FLAT2 * math.sin(middle) ** 2
    across = _EQUATOR_KM / math.sqrt(curved)
    north = across * (1 - _FLAT2) / curved * math.radians(lat2 - lat1)
    return math.hypot(north, across * math.cos(middle) * math.radians(lon2 - lon1))


def miles(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    return haversine_km(lat1, lon1, lat2, lon2) / KM_PER_MILE


def around(lat: float, lon: float, km: float) -> tuple[float, float, float, float]:
    """South, north, west, east of a box that holds the circle, for a first cut by index."""
    dlat = math.degrees(km / EARTH_KM)
    dlon = dlat / max(0.01, math.cos(math.radians(lat)))
    return lat - dlat, lat + dlat, lon - dlon, lon + dlon
