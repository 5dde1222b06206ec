"""Keeps the hub connected to the other server processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.deps import Deps


async def run(deps: Deps) -> None:
    await deps.hub.run()
