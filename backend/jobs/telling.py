"""Every few seconds: tells the other processes what this one has counted, so that one page of /metrics has it all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.services import observing

if TYPE_CHECKING:
    from backend.deps import Deps

PERIOD_SECONDS = 5.0


async def run(deps: Deps) -> None:
    while True:
        await observing.tell(deps)
        await asyncio.sleep(PERIOD_SECONDS)
