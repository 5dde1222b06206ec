"""How much one person, or one source of events, may ask in a minute: units weighted by what a question costs.

Counted in Valkey, so that all processes count together; while Valkey is away each process counts for itself.
People's questions go by a moving window (exact); events by a sliding counter, which costs the same however many they are.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from enum import IntEnum

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from redis import asyncio as redis

from backend import faults
from domain import errors

logger = logging.getLogger(__name__)

LONGEST_ASK = 0.5
AWAY_SECONDS = 2.0
BLOCK = 20
"""Units that a process takes from Valkey at once for a person: most questions then cost no round trip."""
_HELD_SECONDS = 30.0
_MOST_HELD = 20_000


class Cost(IntEnum):
    """What a question costs of the budget, in units of a look at the dashboard."""

    LOOK = 1
    BOTS = 2
    REVENUE = 3
    INSIGHTS = 5
    DRILL = 10
    WARM = 20
    AGGREGATE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The same count twice: shared by all processes, and this process's own."""

    shared: RateLimiter
    own: RateLimiter


class Limits:
    """The budgets of everybody; `people` and `events` are units a minute, 0 for no limit."""

    def __init__(self, valkey: redis.Redis, *, people: int, events: int, prefix: str = "") -> None:
        memory = MemoryStorage()
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=f"{prefix}limit",
            connection_pool=valkey.connection_pool,  # type: ignore[arg-type]
        )
        self._people = RateLimitItemPerMinute(people) if people else None
        self._events = RateLimitItemPerMinute(events) if events else None
        self._moving = _Pair(shared=MovingWindowRateLimiter(storage), own=MovingWindowRateLimiter(memory))
        self._counted = _Pair(
            shared=SlidingWindowCounterRateLimiter(storage), own=SlidingWindowCounterRateLimiter(memory)
        )
        self._away_until = -math.inf
        self._refused = 0
        self._block = min(BLOCK, people // 50)
        self._held: dict[str, tuple[int, float]] = {}

    async def person(self, user_id: str, cost: int = Cost.LOOK) -> None:
        """Charge a person's budget. Raises: TooManyTriesError with the seconds to wait.

        What a process holds in advance and does not use is lost to the person: `BLOCK` of the budget at most.
        """
        if self._people is None or self._spent(user_id, cost):
            return
        key = f"user:{user_id}"
        if self._block > cost and await self._wait(self._moving, self._people, key, self._block) is None:
            self._hold(user_id, self._block - cost)
            return
        await self._charge(self._moving, self._people, key, cost)

    async def source(self, source_key: int | str, events: int) -> None:
        """Charge the budget of a source of events. Raises: TooManyTriesError with the seconds to wait."""
        if self._events is not None:
            await self._charge(
                self._counted, self._events, f"source:{source_key}", min(events, self._events.amount)
            )

    def numbers(self) -> dict[str, float]:
        return {"limits_refused_total": self._refused}

    def _spent(self, user_id: str, cost: int) -> bool:
        """Was it there in advance?"""
        units, until = self._held.get(user_id, (0, 0.0))
        if units < cost or time.monotonic() >= until:
            return False
        self._held[user_id] = (units - cost, until)
        return True

    def _hold(self, user_id: str, units: int) -> None:
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        now = time.monotonic()
        left, until = self._held.get(user_id, (0, 0.0))
        self._held[user_id] = (units + left if now < until else units, now + _HELD_SECONDS)

    async def _charge(self, pair: _Pair, item: RateLimitItemPerMinute, key: str, cost: int) -> None:
        wait = await self._wait(pair, item, key, cost)
        if wait is not None:
            self._refused += 1
            raise errors.TooManyTriesError(
                "That is more than one may ask in a minute.",
                where=key.partition(":")[0],
                hint=f"Wait {wait} seconds, then go on. Questions cost by what they take; see docs/operations.md.",
                retry_after=wait,
            )

    async def _wait(self, pair: _Pair, item: RateLimitItemPerMinute, key: str, cost: int) -> int | None:
        """None when it was charged; else the seconds to wait."""
        limiter = pair.shared if time.monotonic() >= self._away_until else pair.own
        try:
            return await _wait(limiter, item, key, cost)
        except faults.FROM_VALKEY as fault:
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("limits.no_valkey", extra={"fault": type(fault).__name__})
            return await _wait(pair.own, item, key, cost)


async def _wait(limiter: RateLimiter, item: RateLimitItemPerMinute, key: str, cost: int) -> int | None:
    """None when it was charged; else the seconds after which trying again makes sense."""
    async with asyncio.timeout(LONGEST_ASK):
        if await limiter.hit(item, key, cost=int(cost)):
            return None
        stats = await limiter.get_window_stats(item, key)
    return max(1, math.ceil(stats.reset_time - time.time()))
