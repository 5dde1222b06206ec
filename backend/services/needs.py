"""What the sync services need of the server's parts, and no more: the simulation has them without a database."""

from __future__ import annotations

from typing import Protocol

from backend.services.gate import Gate
from backend.storage.store import Stores
from domain import ports


class Nudged(Protocol):
    """Whoever numbers the feed, told that there is news."""

    def nudge(self) -> None: ...


class SyncNeeds(Protocol):
    """`backend.deps.Deps` has them."""

    @property
    def stores(self) -> Stores: ...

    @property
    def clock(self) -> ports.Clock: ...

    @property
    def hub(self) -> Nudged: ...

    @property
    def loads(self) -> Gate:
        """Where first syncs and audits stand in line."""
