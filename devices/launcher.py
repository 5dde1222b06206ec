"""Hands over to the platform's telephone, messages, mail and maps, by ft.UrlLauncher."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import flet as ft

from devices import calls
from domain import errors

_NOT_DIALLED = re.compile(r"[^\d+*#,;]")
_SECONDS = 10.0


class FletLauncher:
    """Implements domain.ports.Launcher. Make one per page and keep it."""

    def __init__(self) -> None:
        self._service = ft.UrlLauncher()

    async def call(self, phone: str) -> None:
        """Raises: InputError, DeviceError."""
        await self._open(call_url(phone))

    async def text(self, phone: str, body: str = "") -> None:
        """Raises: InputError, DeviceError."""
        await self._open(text_url(phone, body))

    async def mail(self, address: str) -> None:
        """Raises: InputError, DeviceError."""
        await self._open(mail_url(address))

    async def navigate(self, lat: float, lon: float) -> None:
        """Raises: InputError, DeviceError."""
        await self._open(directions_url(lat, lon))

    async def _open(self, url: str) -> None:
        # In a browser only the map gets a tab of its own; tel:, sms: and mailto: would leave an empty one behind.
        window = "_blank" if url.startswith("https:") else "_self"
        launch = self._service.launch_url(
            url, mode=ft.LaunchMode.EXTERNAL_APPLICATION, web_only_window_name=window
        )
        try:
            await calls.ask(launch, seconds=_SECONDS)
        except calls.CallFailedError as error:
            raise errors.DeviceError(
                "This device has no app for that.",
                where=url.split(":", 1)[0],
                hint="Copy the number or address and use another app.",
            ) from error


def call_url(phone: str) -> str:
    """Raises: InputError when there is no number."""
    return f"tel:{_dialled(phone)}"


def text_url(phone: str, body: str = "") -> str:
    """`?&body=` is what both iOS and Android take. Raises: InputError."""
    return f"sms:{_dialled(phone)}" + (f"?&body={quote(body)}" if body else "")


def mail_url(address: str) -> str:
    """Raises: InputError when this is no e-mail address."""
    plain = address.strip()
    if not re.fullmatch(r"[^@\s?&<>,]+@[^@\s?&<>,]+", plain):
        raise errors.InputError(
            "This is not an e-mail address.", where="e-mail", hint="Correct the lead's address."
        )
    return f"mailto:{quote(plain, safe='@+')}"


def directions_url(lat: float, lon: float) -> str:
    """Google Maps' directions: its app where installed, else the web. Raises: InputError."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise errors.InputError(
            "This is not a place on the map.", where="place", hint="Correct the lead's address."
        )
    query = urlencode({"api": 1, "destination": f"{lat:.6f},{lon:.6f}"})
    return f"https://www.google.com/maps/dir/?{query}"


def _dialled(phone: str) -> str:
    digits = _NOT_DIALLED.sub("", phone)
    if not any(character.isdigit() for character in digits):
        raise errors.InputError(
            "There is no telephone number to use.", where="phone", hint="Add the lead's number first."
        )
    return quote(digits, safe="+*,;")
