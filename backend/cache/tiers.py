"""The two tiers: this process's memory and Valkey, by cashews with client-side tracking. Values are signed bytes, never pickles."""

from __future__ import annotations

from cashews.backends.memory import Memory
from cashews.backends.redis.client_side import BcastClientSide
from cashews.serialize import HashSigner, Serializer

PREFIX = "bi:answer:"
MOST_IN_MEMORY = 5_000


def open_tiers(redis_url: str, secret: bytes, *, prefix: str = PREFIX) -> BcastClientSide:
    """Not connected yet: `await tiers.init()`. Without Valkey reads find nothing and writes are dropped.

    `secret`: what somebody else writes into Valkey has no valid signature and is not found.
    """
    serializer = Serializer()
    serializer.set_signer(HashSigner(secret, b"sha256"))
    return BcastClientSide(
        address=redis_url,
        serializer=serializer,
        local_cache=Memory(size=MOST_IN_MEMORY),
        client_side_prefix=prefix,
        protocol=2,  # cashews reads invalidations as RESP2 sends them
    )
