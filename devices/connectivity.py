"""Whether there is a network interface, and one that costs money by the byte, by ft.Connectivity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import flet as ft

from devices import calls


class FletConnectivity:
    """Implements domain.ports.Connectivity. Make one per page and keep it."""

    def __init__(self) -> None:
        self._service = ft.Connectivity(on_change=self._changed)
        self._listeners: set[asyncio.Queue[bool]] = set()

    async def has_network(self) -> bool:
        """A device that can't tell counts as connected: the server's answer decides then."""
        try:
            kinds = await calls.ask(self._service.get_connectivity(), seconds=5.0)
        except calls.CallFailedError:
            return True
        return _connected(kinds)

    async def metered(self) -> bool | None:
        """Mobile data and nothing beside it; a tunnel's own way out is not known."""
        try:
            kinds = await calls.ask(self._service.get_connectivity(), seconds=5.0)
        except calls.CallFailedError:
            return None
        return _metered(kinds)

    async def changes(self) -> AsyncIterator[bool]:
        """Each change from here on, the newest only when the reader is slow."""
        queue: asyncio.Queue[bool] = asyncio.Queue(maxsize=1)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def _changed(self, event: ft.ConnectivityChangeEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(_connected(event.connectivity))


def for_page(page: ft.Page) -> FletConnectivity | None:
    """None where nothing need wait for Wi-Fi: at a desk, and in a browser, where this process sends and not the phone.

    Make one per page and keep it.
    """
    mobile = page.platform in (ft.PagePlatform.ANDROID, ft.PagePlatform.IOS)
    return FletConnectivity() if mobile and not page.web else None


def _metered(kinds: list[ft.ConnectivityType]) -> bool | None:
    if ft.ConnectivityType.MOBILE in kinds:
        return not {ft.ConnectivityType.WIFI, ft.ConnectivityType.ETHERNET} & set(kinds)
    known = {ft.ConnectivityType.WIFI, ft.ConnectivityType.ETHERNET, ft.ConnectivityType.BLUETOOTH}
    return False if known & set(kinds) else None


def _connected(kinds: list[ft.ConnectivityType]) -> bool:
    return any(kind is not ft.ConnectivityType.NONE for kind in kinds)
