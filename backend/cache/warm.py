"""Predictive warming: what will probably be asked for soon is worked out before, one question at a time, within a budget.

p = 1 − e^(−λ·Δt) from the hour of the week, joined with what usually follows what was just asked. Only one process warms whole
answers; what it makes lies in Valkey for all. Closed buckets lie in each process's own memory and don't grow old, so each
process reads those of all that will probably be asked for within a day.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from redis import asyncio as redis

from backend import faults
from backend.cache import asked
from backend.cache.rates import Question, Rates

logger = logging.getLogger(__name__)

DUE = "bi:warm:due"
"""ZSET of questions by the time (seconds of the epoch) at which they should be warm; written for people to see."""
OFF = "bi:warm:off"
"""The kill switch: while this key is there nothing is warmed."""
_LEADER = "bi:warm:leader"
_MOST_A_ROUND = 200

Again = Callable[[Question], Awaitable[bool]]
"""Works an answer out unless it is there; True when there was work to do. Raises what services raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round did."""

    likely: int = 0
    prepared: int = 0
    """Boards of which closed buckets were lacking."""
    made: int = 0
    failed: int = 0
    seconds: float = 0.0
    switched_off: bool = False


def _taken(questions: list[Question]) -> Iterator[Question]:
    """From the end, until somebody stops; what was not taken stays."""
    while questions:
        yield questions.pop()


@dataclass(slots=True)
class _Done:
    made: int = 0
    failed: int = 0


@dataclass(slots=True)
class Warmer:
    """`interval` and `threshold` are BI_CACHE_WARMING_INTERVAL and BI_PREDICTIVE_THRESHOLD."""

    valkey: redis.Redis
    interval: float
    threshold: float
    share_of_time: float = 0.2
    """Of the database's time that warming may take: after each question it rests four times as long."""
    rates: Rates = field(default_factory=Rates)
    last: Round = field(default_factory=Round)
    _me: str = field(default_factory=lambda: uuid.uuid4().hex)
    _read_to: str = "0"
    _hour: int = 0
    _unprepared: list[Question] = field(default_factory=list)
    """Of this hour, one for each board, the likeliest last."""

    async def run(self, again: Again, read: Again) -> None:
        """Until cancelled; nothing with an interval of 0."""
        while self.interval > 0:
            await asyncio.sleep(self.interval)
            try:
                self.last = await self.once(again, read)
            except faults.FROM_VALKEY as fault:
                logger.warning("warm.waits", extra={"fault": type(fault).__name__})

    async def once(self, again: Again, read: Again) -> Round:
        """One round, if the switch is on: everybody prepares, who leads warms. Raises: RedisError."""
        if await self.valkey.exists(OFF):
            return Round(switched_off=True)
        await self.learn()
        prepared = await self.prepare(read, time.time())
        if not await self._leads():
            return Round(prepared=prepared)
        return replace(await self.warm(again, time.time()), prepared=prepared)

    async def learn(self) -> None:
        """Read what was asked since the last time."""
        async for entry, question, who, at in asked.read(self.valkey, self._read_to):
            self.rates.saw(question, who, at)
            self._read_to = entry

    async def prepare(self, read: Again, now: float) -> int:
        """The closed buckets of what will be asked for within a day, the likeliest first, each board once an hour.

        Of how many boards some were lacking.
        """
        if (hour := int(now // 3600)) != self._hour:
            wanted = self._wanted(self.rates.within_a_day(now, asked.family))
            self._hour, self._unprepared = hour, [question for _, question in reversed(wanted)]
        return (await self._paced(_taken(self._unprepared), read)).made

    async def warm(self, again: Again, now: float) -> Round:
        """Make what is likely before the next round, the likeliest first."""
        likely = self.likely(now)[:_MOST_A_ROUND]
        await self._show(likely, now)
        began = time.monotonic()
        done = await self._paced([question for _, question in likely], again)
        return Round(likely=len(likely), made=done.made, failed=done.failed, seconds=time.monotonic() - began)

    async def _paced(self, questions: Iterable[Question], work: Again) -> _Done:
        """One after the other, within this process's share of the time and until the next round, which knows better what comes."""
        done = _Done()
        began = started = time.monotonic()
        for question in questions:
            try:
                done.made += await work(question)
            except Exception as fault:  # noqa: BLE001 - one question that fails keeps no other from being warm
                done.failed += 1
                logger.warning("warm.failed", extra={"fault": type(fault).__name__})
            await asyncio.sleep((time.monotonic() - started) * (1 / self.share_of_time - 1))
            started = time.monotonic()
            if started - began > self.interval:
                break
        return done

    def likely(self, now: float) -> Sequence[tuple[float, Question]]:
        """(probability, question) of those that will be asked for before the next round but one."""
        return self._wanted(self.rates.probabilities(now, 2 * self.interval))

    def _wanted(self, found: Iterable[tuple[float, Question]]) -> Sequence[tuple[float, Question]]:
        return sorted((pair for pair in found if pair[0] >= self.threshold), reverse=True)

    async def _show(self, likely: Sequence[tuple[float, Question]], now: float) -> None:
        async with self.valkey.pipeline(transaction=True) as pipe:
            pipe.delete(DUE)
            if likely:
                pipe.zadd(DUE, {question: now + place for place, (_, question) in enumerate(likely)})
            await pipe.execute()

    async def _leads(self) -> bool:
        """One process warms: it keeps the lead while it comes again in time."""
        kept = int(self.interval * 3) + 5
        if await self.valkey.set(_LEADER, self._me, nx=True, ex=kept):
            return True
        holder = await self.valkey.get(_LEADER)
        mine = (holder.decode() if isinstance(holder, bytes) else holder) == self._me
        if mine:
            await self.valkey.expire(_LEADER, kept)
        return mine
