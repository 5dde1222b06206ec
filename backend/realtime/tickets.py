"""One-time tickets: what a signed-in page gets for opening one live socket within half a minute."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import TYPE_CHECKING

from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

SECONDS = 30
_KEY = "bi:ws:ticket:"


async def issue(deps: Deps, proof: bytes) -> str:
    """A ticket for who holds the access token with the hash `proof`; ends with that token's life.

    Raises: redis.RedisError, TimeoutError without Valkey.
    """
    ticket = secrets.token_urlsafe(32)
    async with asyncio.timeout(2):
        await deps.valkey.set(_KEY + _hash(ticket), proof, ex=SECONDS)
    return ticket


async def spend(deps: Deps, ticket: str) -> bytes:
    """The hash of the access token that it was given to; a second time it is worth nothing.

    Raises: TokenExpiredError; redis.RedisError, TimeoutError without Valkey.
    """
    async with asyncio.timeout(2):
        proof = await deps.valkey.getdel(_KEY + _hash(ticket))
    if proof is None:
        raise errors.TokenExpiredError(
            "This ticket was used or has expired.", where="ticket", hint="Get a new one with POST /ws/ticket."
        )
    return proof if isinstance(proof, bytes) else proof.encode()


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
