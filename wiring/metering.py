"""Recordings wait for Wi-Fi where this person wants that and the connection costs money by the byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from domain import ports
from services.settings import Settings
from storage import database


async def watch(
    db: database.Database, settings: Settings, network: ports.Connectivity, tell: Callable[[bool], None]
) -> None:
    """`tell(True)` when recordings shall wait from now on, `tell(False)` when they may go; until cancelled."""
    changed = asyncio.Event()
    unsubscribe = db.subscribe(lambda touched: changed.set() if "local_settings" in touched else None)
    listening = asyncio.create_task(_listen(network, changed))
    told = False
    try:
        while True:
            changed.clear()
            wait = settings.read().wifi_only_audio and await network.metered() is True
            if wait != told:
                told = wait
                tell(wait)
            await changed.wait()
    finally:
        unsubscribe()
        listening.cancel()


async def _listen(network: ports.Connectivity, changed: asyncio.Event) -> None:
    async for _ in network.changes():
        changed.set()
