"""Answers to questions out of the cache: encoded once, kept under what they depend on, never across scopes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
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


async def served(
    deps: Deps,
    asked: Asked,
    answer: Callable[[Deps, Asked], Awaitable[dict[str, Any]]],
    *,
    fresh: bool = False,
    warming: bool = False,
    longest: float | None = None,
    history_days: int = 0,
) -> bytes:
    """The answer as JSON, `cache_hit` in it. `fresh`: counted anew. `longest`: seconds, where less than usual. Raises: what `answer` raises."""

    async def make() -> Made:
        found = await answer(deps, asked)
        return Made(body=orjson.dumps(found), digest=_digest(found))

    ask = ask_of(asked, deps.clock.now(), history_days=history_days, longest=longest)
    kept = await deps.answers.get(ask, make, fresh=fresh, warming=warming)
    return kept.body[:-1] + (b',"cache_hit":true}' if kept.hit else b',"cache_hit":false}')


def ask_of(asked: Question, now: datetime, *, history_days: int = 0, longest: float | None = None) -> Ask:
    """Where its answer lies in the cache: question, scope, and the days that it, its comparison and its history add up.

    Whoever touches an hour touches its day, and every answer reaches to this moment: days tell all that hours would.
    """
    calendar = asked.calendar(now)
    todays = [calendar.today(office) for office in asked.offices]
    back = max(2 * spans.DAYS[asked.timeframe] + 1, history_days) * spans.ONE_DAY
    span = Span(
        places=asked.scope.places,
        days=(min(todays) - back, max(todays)) if todays else None,
        stock=True,
    )
    kept = LONGEST[asked.timeframe] if longest is None else longest
    return Ask(
        what=asked.name,
        params={"question": asked.canonical},
        fingerprint=asked.scope.fingerprint,
        span=span,
        longest=kept,
        slot=int(now.timestamp() // kept),
    )


def _digest(found: Mapping[str, Any]) -> bytes:
    """Of what it says, without its times."""
    return hashlib.blake2b(orjson.dumps(_timeless(found)), digest_size=16).digest()


def _timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _timeless(part) for name, part in value.items() if name not in _TIMES}
    return [_timeless(part) for part in value] if isinstance(value, list) else value
