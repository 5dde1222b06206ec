"""Answers to questions out of the cache: encoded once, kept under what they depend on, never across scopes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from backend.cache.answers import Ask, Made
from backend.cache.spans import Span
from backend.services.bi import spans
from backend.services.bi.question import Question

if TYPE_CHECKING:
    from datetime import datetime

    from backend.deps import Deps

Asked = TypeVar("Asked", bound=Question)

LONGEST: Mapping[str, float] = {"24h": 30.0, "7d": 120.0, "30d": 300.0, "90d": 600.0, "1y": 900.0}
"""Seconds after which the clock alone makes an answer untrue: leads go cold, hours leave a rolling time."""
_TIMES = frozenset({"as_of", "last_updated", "watermark"})
_HOUR = timedelta(hours=1)


async def served(
    deps: Deps,
    asked: Asked,
    answer: Callable[[Deps, Asked], Awaitable[dict[str, Any]]],
    *,
    fresh: bool = False,
    warming: bool = False,
) -> bytes:
    """The answer as JSON, `cache_hit` in it. `fresh`: counted anew. Raises: what `answer` raises."""

    async def make() -> Made:
        found = await answer(deps, asked)
        return Made(body=orjson.dumps(found), digest=_digest(found))

    kept = await deps.answers.get(ask_of(asked, deps.clock.now()), make, fresh=fresh, warming=warming)
    return kept.body[:-1] + (b',"cache_hit":true}' if kept.hit else b',"cache_hit":false}')


def ask_of(asked: Question, now: datetime) -> Ask:
    """Where its answer lies in the cache: question, scope, and the buckets that it and its comparison add up."""
    calendar = asked.calendar(now)
    rolls = asked.rolling and spans.rolls(asked.timeframe)
    todays = [calendar.today(office) for office in asked.offices]
    back = (2 * spans.DAYS[asked.timeframe] + 1) * spans.ONE_DAY
    hours = (now - 2 * spans.ROLLING[asked.timeframe] - _HOUR, now) if rolls else None
    span = Span(
        places=asked.scope.places,
        hours=hours and (_hour(hours[0]), _hour(hours[1])),
        days=(min(todays) - back, max(todays)) if todays else None,
        stock=True,
    )
    return Ask(
        what=asked.name,
        params={"question": asked.canonical},
        fingerprint=asked.scope.fingerprint,
        span=span,
        longest=LONGEST[asked.timeframe],
    )


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _digest(found: Mapping[str, Any]) -> bytes:
    """Of what it says, without its times."""
    return hashlib.blake2b(orjson.dumps(_timeless(found)), digest_size=16).digest()


def _timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _timeless(part) for name, part in value.items() if name not in _TIMES}
    return [_timeless(part) for part in value] if isinstance(value, list) else value
