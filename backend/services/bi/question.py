"""A question to the warehouse as a value: whose figures, for which time, with which options. Answers are cached by it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import asyncpg
import orjson

from backend import policy
from backend.actor import Actor, Role
from backend.metrics import FIGURES, MEASURES
from backend.policy import Permission
from backend.services.bi import spans
from backend.storage.warehouse import offices
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.ranges import hour_name, hour_number, hour_of
from backend.storage.warehouse.scope import Scope, reading
from backend.stream import entries
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.storage.pool import Connection

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`scope` and `offices` come from the policy alone; `timeframe` is one of `spans.DAYS`.

    Subclasses add their options; equal questions of equal scopes have equal answers.
    """

    name: ClassVar[str] = ""
    rolling: ClassVar[bool] = True
    """Whether short timeframes roll with the clock; else all of it goes by days at the office."""

    scope: Scope
    offices: tuple[Office, ...]
    timeframe: str = "30d"

    def options(self) -> Mapping[str, Any]:
        """What it asks for beside scope and timeframe, as JSON."""
        return {}

    @property
    def canonical(self) -> str:
        """The same for the same question whoever asks; the scope's fingerprint is the other half of a cache key."""
        asked = orjson.dumps(self.options(), option=orjson.OPT_SORT_KEYS).decode()
        return f"{self.name}|{registry_version()}|{self.timeframe}|{asked}"

    def calendar(self, now: datetime) -> spans.Calendar:
        return spans.Calendar(offices=self.offices, whole=self.scope.whole, now=now)

    def sees(self, permission: Permission) -> bool:
        """Whether who asks has it, by the scope's mask."""
        return bool(self.scope.role_mask >> list(Permission).index(permission) & 1)

    def narrowed(self, keys: frozenset[int]) -> tuple[Scope, tuple[Office, ...]]:
        """Of its offices only those of `keys`."""
        kept = tuple(office for office in self.offices if office.key in keys)
        if len(kept) == len(self.offices):
            return self.scope, self.offices
        return replace(self.scope, keys=tuple(office.key for office in kept), whole=False), kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What an answer was made of, by the names the sink publishes. `open`: still filling; `closed`: only late news touches it."""

    open: frozenset[str]
    closed: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.open | self.closed


def tags(question: Question, now: datetime) -> Tags:
    """Of the time asked for and of the one before it."""
    calendar = question.calendar(now)
    places = question.scope.places
    if question.rolling and spans.rolls(question.timeframe):
        first = hour_number(now - 2 * spans.ROLLING[question.timeframe])
        closed = {_hour(place, number) for place in places for number in range(first, hour_number(now))}
        opened = {_hour(place, hour_number(now)) for place in places}
    else:
        closed, opened = set(), set()
    days = {key for office in question.offices for key in _days(calendar, office, question.timeframe)}
    todays = {spans.date_key(calendar.today(office)) for office in question.offices}
    closed |= {entries.day_tag(place, key) for place in places for key in days - todays}
    opened |= {entries.day_tag(place, key) for place in places for key in todays}
    opened |= {entries.stock_tag(place) for place in places}
    return Tags(open=frozenset(opened), closed=frozenset(closed))


def _hour(place: int, number: int) -> str:
    return entries.hour_tag(place, hour_name(hour_of(number)))


def _days(calendar: spans.Calendar, office: Office, timeframe: str) -> list[int]:
    today, count = calendar.today(office), spans.DAYS[timeframe]
    return [spans.date_key(today - spans.ONE_DAY * back) for back in range(2 * count + 1)]


async def whose(
    deps: Deps, actor: Actor, location_id: str | None, *permissions: Permission
) -> tuple[Scope, tuple[Office, ...]]:
    """What this person asks about: one location, or (`all`, nothing) all that they may see.

    Raises: ForbiddenError for a role without one of `permissions`, and for a location that is not theirs.
    """
    for permission in permissions:
        policy.check(actor, permission)
    wanted = actor.locations
    if location_id and location_id != ALL:
        if location_id.lower() not in actor.locations:
            raise not_yours("location_id")
        wanted = frozenset({location_id.lower()})
    async with deps.bi.acquire() as connection:
        return await offices.seen(connection, wanted, role_mask=policy.mask(Role(actor.role)))


def not_yours(where: str) -> errors.ForbiddenError:
    """Of a location that was named in the field `where`."""
    return errors.ForbiddenError(
        "You may not see this location.", where=where, hint="Ask an administrator to grant it."
    )


@asynccontextmanager
async def opened(deps: Deps, scope: Scope) -> AsyncIterator[Connection]:
    """A snapshot of the warehouse that holds `scope` and nothing else. Raises: TooMuchError when a statement took too long."""
    limit = deps.settings.bi_statement_timeout_ms
    try:
        async with reading(deps.bi, scope, timeout_ms=limit) as connection:
            yield connection
    except asyncpg.QueryCanceledError as fault:
        raise errors.TooMuchError(
            f"This question took longer than {limit} ms and was stopped.",
            where="timeframe",
            hint="Ask for a shorter time, one location or fewer filters; or try again later.",
            retry_after=30,
        ) from fault


def stamps(
    as_of: datetime, watermark: datetime | None, source: str, *, told_at: datetime | None = None
) -> dict[str, Any]:
    """What every answer says of itself; `told_at`: where that was later than `as_of`."""
    return {
        "as_of": as_of.isoformat(),
        "watermark": watermark.isoformat() if watermark else None,
        "source": source,
        "last_updated": (told_at or as_of).isoformat(),
    }


@cache
def registry_version() -> str:
    """Changes whenever a figure or a measure comes to mean something else."""
    said = [
        [
            figure.name,
            figure.definition,
            figure.shape,
            figure.measures,
            figure.factor,
            figure.quantile,
            figure.timed,
        ]
        for figure in FIGURES.values()
    ] + [[measure.name, measure.fact, measure.expression] for measure in MEASURES.values()]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:8]
