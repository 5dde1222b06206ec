"""The two tiers: this process's memory and Valkey, by cashews with client-side tracking. Values are signed bytes, never pickles."""

from __future__ import annotations

import asyncio
import logging
import warnings

from cashews.backends.memory import Memory
from cashews.backends.redis.client_side import BcastClientSide
from cashews.exceptions import UnSecureDataError
from cashews.serialize import HashSigner, Serializer

from backend.valkey_client import WaitingPool

logger = logging.getLogger(__name__)

PREFIX = "bi:answer:"
MOST_IN_MEMORY = 5_000


class Tiers(BcastClientSide):
    """Not connected yet: `await tiers.init()`. Without Valkey reads find nothing and writes are dropped."""

    async def held(self, key: str) -> bytes | None:
        """What lies there, if it is ours."""
        try:
            found = await self.get(key)
        except UnSecureDataError:
            logger.warning("cache.forged")
            return None
        return found if isinstance(found, bytes) else None

    async def init(self) -> None:
        await super().init()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        listening: asyncio.Task[None] | None = vars(self)["_listen_task"]
        if listening is not None:
            listening.cancel()  # cashews would wait for it, ten seconds where Valkey is away
            await asyncio.wait([listening])
            self._listen_task = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # cashews closes redis-py by its former name
            await super().close()  # type: ignore[no-untyped-call]


def open_tiers(redis_url: str, secret: bytes) -> Tiers:
    """`secret`: what somebody else writes into Valkey has no valid signature and is not served."""
    serializer = Serializer()  # type: ignore[no-untyped-call]
    serializer.set_signer(HashSigner(secret, b"sha256"))
    return Tiers(
        address=redis_url,
        serializer=serializer,
        local_cache=Memory(size=MOST_IN_MEMORY),
        client_side_prefix=PREFIX,
        connection_pool_class=WaitingPool,
        timeout=10,  # seconds for a connection where all are busy
        protocol=2,  # cashews reads invalidations as RESP2 sends them
    )
