"""Tags of what the follower changed by itself, past the sink: told to the caches sooner or later, whoever dies meanwhile.

They are written down in Valkey before the change is committed, and struck out with the telling. Where Valkey is away they
are kept in mind: no cache answers then, and a Valkey that was started anew makes every answer anew (`cache.versions`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from backend import faults
from backend.cache import versions
from backend.stream import entries

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from backend.deps import Deps

logger = logging.getLogger(__name__)

UNTOLD = "bi:from_sync:untold"
"""Set in Valkey: tags of what is committed or about to be, and not told yet."""


@dataclass(slots=True)
class Owed:
    """`deaf`: nobody could be told the last time."""

    deps: Deps
    tags: set[str] = field(default_factory=set)
    deaf: bool = False

    async def inherit(self) -> None:
        """What an earlier follower owed."""
        try:
            found = await cast("Awaitable[set[bytes]]", self.deps.valkey.smembers(UNTOLD))
        except faults.FROM_VALKEY:
            return
        self.tags |= {tag.decode() for tag in found}

    async def note(self, tags: Collection[str]) -> None:
        """Before the commit."""
        if tags:
            self.tags |= set(tags)
            try:
                await self.deps.valkey.sadd(UNTOLD, *tags)
            except faults.FROM_VALKEY as fault:
                logger.info("from_sync.unnoted", extra=faults.named(fault))

    async def tell(self) -> None:
        """After the commit, and again until somebody hears it."""
        if not self.tags:
            return
        tags = sorted(self.tags)
        try:
            async with self.deps.valkey.pipeline(transaction=True) as pipe:
                versions.ask(pipe, self.deps.channel(entries.TOUCHED), tags)
                pipe.srem(UNTOLD, *tags)
                await pipe.execute()
        except faults.FROM_VALKEY as fault:
            if not self.deaf:
                logger.warning("from_sync.untold", extra=faults.named(fault))
            self.deaf = True
            return
        self.deaf = False
        self.tags.difference_update(tags)
