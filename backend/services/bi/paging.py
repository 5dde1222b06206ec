"""Where the next page of an answer begins: a sealed cursor that only its own question takes, for an hour."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from backend.storage import feed
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

LONGEST = 2_000
LIVES = timedelta(hours=1)
_SEAL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`as_of`: the moment that all pages show; `after`: the last row of the page before, in the words of its order.

    `total`: what the pages add up to, where it is not worked out for each.
    """

    as_of: datetime
    order: str
    after: Sequence[Any]
    total: Mapping[str, Any] | None = None


async def sealed(deps: Deps, place: Place, bound_to: str) -> str:
    """`bound_to` names question and scope."""
    packed = orjson.dumps([place.as_of.isoformat(), place.order, place.after, place.total])
    return base64.urlsafe_b64encode(_seal(packed, await _key(deps), bound_to) + packed).decode().rstrip("=")


async def opened(deps: Deps, cursor: str, bound_to: str, now: datetime) -> Place:
    """Raises: InputError for a cursor that is not ours, of another question or scope, or too old."""
    try:
        whole = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as fault:
        raise _refused("This is no cursor of ours.") from fault
    seal, packed = whole[:_SEAL], whole[_SEAL:]
    if not hmac.compare_digest(seal, _seal(packed, await _key(deps), bound_to)):
        raise _refused("This cursor belongs to another question.")
    as_of, order, after, total = orjson.loads(packed)
    place = Place(as_of=datetime.fromisoformat(as_of), order=order, after=after, total=total)
    if now - place.as_of > LIVES:
        raise _refused("This cursor is too old.")
    return place


def _refused(message: str) -> errors.InputError:
    return errors.InputError(
        message, where="cursor", hint="Ask again without a cursor; send everything else as it was."
    )


async def _key(deps: Deps) -> bytes:
    async with deps.pool.acquire() as connection:
        head = await feed.head(connection)
    return hashlib.blake2b(f"drill\n{head.secret}".encode(), digest_size=32).digest()


def _seal(packed: bytes, key: bytes, bound_to: str) -> bytes:
    bound = hashlib.blake2b(bound_to.encode(), digest_size=32).digest()
    return hashlib.blake2b(bound + packed, key=key, digest_size=_SEAL).digest()
