"""Each second: what requests told of devices is written, all of it together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.services import devices

if TYPE_CHECKING:
    from backend.deps import Deps

PERIOD_SECONDS = 1.0


async def run(deps: Deps) -> None:
    """Once more when the server stops."""
    try:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await devices.written(deps)
    finally:
        await devices.written(deps)
