"""The stream of questions: what was asked of the command centre, by which scope; ids only. Warming learns from it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from redis import asyncio as redis

from backend import faults

logger = logging.getLogger(__name__)

STREAM = "bi:stream:asked"
MOST_KEPT = 200_000
_MOST_WAITING = 10_000
_PAUSE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question as a route got it: enough to ask it again for the same scope."""

    route: str
    params: Mapping[str, Any]
    location_ids: tuple[str, ...]
    role: str
    who: str
    at: float

    def question(self) -> str:
        """What it is told from others by: everything but who and when."""
        return orjson.dumps(
            [self.route, self.params, self.location_ids, self.role], option=orjson.OPT_SORT_KEYS
        ).decode()


def of_question(question: str) -> tuple[str, dict[str, Any], tuple[str, ...], str]:
    """Route, params, location ids and role back from `Asked.question`."""
    route, params, location_ids, role = orjson.loads(question)
    return route, params, tuple(location_ids), role


@lru_cache(maxsize=10_000)
def family(question: str) -> str:
    """The same for questions that differ by no more than their timeframe and options."""
    route, params, location_ids, role = of_question(question)
    return orjson.dumps([route, params.get("location_id"), location_ids, role]).decode()


@dataclass(slots=True)
class Recorder:
    """`note` costs microseconds and never waits; `run` writes once a second. What Valkey can't take is let go: it is a habit, no fact."""

    valkey: redis.Redis
    _waiting: deque[Asked] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))

    def note(self, asked: Asked) -> None:
        self._waiting.append(asked)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self.flush()

    async def flush(self) -> None:
        if not self._waiting:
            return
        batch, self._waiting = list(self._waiting), deque(maxlen=_MOST_WAITING)
        try:
            async with self.valkey.pipeline(transaction=False) as pipe:
                for asked in batch:
                    fields = {"question": asked.question(), "who": asked.who, "at": repr(asked.at)}
                    pipe.xadd(STREAM, fields, maxlen=MOST_KEPT, approximate=True)  # type: ignore[arg-type]
                await pipe.execute()
        except faults.FROM_VALKEY as fault:
            logger.debug("asked.lost", extra={"fault": type(fault).__name__, "count": len(batch)})


async def read(valkey: redis.Redis, after: str = "0") -> AsyncIterator[tuple[str, str, str, float]]:
    """(entry id, question, who, at) of what was written after the entry `after`, oldest first. Raises: RedisError."""
    while True:
        found: Any = await valkey.xrange(STREAM, min=f"({after}", count=5_000)
        for entry, fields in found:
            named = {_text(name): _text(value) for name, value in fields.items()}
            after = _text(entry)
            yield after, named["question"], named["who"], float(named["at"])
        if not found:
            return


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
