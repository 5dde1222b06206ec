"""Where this device is, by flet_geolocator."""

from __future__ import annotations

import flet_geolocator as geo

from devices import calls
from domain import errors, ports

_DENIED = (geo.GeolocatorPermissionStatus.DENIED, geo.GeolocatorPermissionStatus.DENIED_FOREVER)
_BY_HAND = "Type an address, or tap the map."


class FletLocator:
    """Implements domain.ports.Locator. Make one per page and keep it."""

    def __init__(self, clock: ports.Clock) -> None:
        self._clock = clock
        self._geolocator = geo.Geolocator(
            configuration=geo.GeolocatorConfiguration(accuracy=geo.GeolocatorPositionAccuracy.HIGH)
        )

    async def locate(self, *, timeout: float = 10.0) -> ports.Position:
        """Raises: NoLocationError."""
        deadline = self._clock.monotonic() + timeout
        try:
            await self._check_permission(deadline)
            place = await calls.ask(self._geolocator.get_current_position(), seconds=self._left(deadline))
        except calls.CallFailedError as error:
            raise errors.NoLocationError(
                "This device did not say where it is.", where="location", hint=f"Try outdoors. {_BY_HAND}"
            ) from error
        return self._position(place)

    async def _check_permission(self, deadline: float) -> None:
        """Asks for permission where the platform lets us; Chromium never answers, and asks by itself with the position."""
        status = await self._permission(deadline)
        if status is geo.GeolocatorPermissionStatus.DENIED_FOREVER:
            raise _denied("Allow location for this app in the device's settings.")
        if status is geo.GeolocatorPermissionStatus.DENIED and not self._geolocator.page.web:
            asked = await calls.ask(self._geolocator.request_permission(), seconds=self._left(deadline))
            if asked in _DENIED:
                raise _denied("Allow location when the device asks.")

    async def _permission(self, deadline: float) -> geo.GeolocatorPermissionStatus | None:
        try:
            return await calls.ask(
                self._geolocator.get_permission_status(), seconds=min(2.0, self._left(deadline))
            )
        except calls.CallFailedError:
            return None

    def _position(self, place: geo.GeolocatorPosition) -> ports.Position:
        if place.latitude is None or place.longitude is None:
            raise errors.NoLocationError(
                "This device has no position yet.", where="location", hint=f"Try outdoors. {_BY_HAND}"
            )
        return ports.Position(
            lat=float(place.latitude),
            lon=float(place.longitude),
            accuracy_m=None if place.accuracy is None else float(place.accuracy),
            taken_at=self._clock.now(),
        )

    def _left(self, deadline: float) -> float:
        return max(0.1, deadline - self._clock.monotonic())


def _denied(hint: str) -> errors.NoLocationError:
    return errors.NoLocationError("Location is not allowed.", where="location", hint=f"{hint} {_BY_HAND}")
