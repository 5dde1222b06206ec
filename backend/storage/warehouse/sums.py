"""Sums of measures over a span: out of the daily and hourly tables, and out of the facts at its edges.

The SQL is made of names in the metric registry; what a request says only ever travels as a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from backend.metrics import MEASURES
from backend.metrics.measures import MOMENT
from backend.storage.warehouse.ranges import (
    DAY_ROWS,
    FENCE,
    MOMENT_ROWS,
    OWN,
    Span,
    Sums,
    day_columns,
    moment_columns,
)

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection

PLACE, BOT = "location_key", "bot_key"
"""What the aggregates can be divided by beside their buckets."""


async def of_span(
    connection: Connection,
    measures: Sequence[str],
    span: Span,
    *,
    by: Sequence[str] = (),
    bots: Sequence[int] | None = None,
) -> Sums:
    """Each group's sum of each of `measures`; groups are (tag, *by). `bots`: only theirs."""
    names, keys = tuple(measures), tuple(by)
    found: Sums = {}
    if span.days:
        _add(found, await connection.fetch(_daily(names, keys), *day_columns(span.days), bots), keys)
    if span.hours:
        _add(found, await connection.fetch(_hourly(names, keys), *moment_columns(span.hours), bots), keys)
    for fact, counted in _by_fact(names).items() if span.edges else ():
        for of_day in (False, True):
            edges = [edge for edge in span.edges if (edge.day is not None) is of_day]
            if edges:
                days = [[edge.day for edge in edges]] if of_day else []
                rows = await connection.fetch(
                    _edges(fact, counted, keys, of_day), *moment_columns(edges), bots, *days
                )
                _add(found, rows, keys)
    return found


def _add(sums: Sums, rows: Iterable[asyncpg.Record], keys: Sequence[str]) -> None:
    """What the rows say of each group is added to what is there."""
    for row in rows:
        values = dict(row)
        group = (values.pop("tag"), *(values.pop(name) for name in keys))
        held = sums.setdefault(group, {})
        for measure, value in values.items():
            held[measure] = held.get(measure, 0) + value


def _by_fact(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    facts: dict[str, tuple[str, ...]] = {}
    for name in names:
        fact = MEASURES[name].fact
        facts[fact] = (*facts.get(fact, ()), name)
    return facts


@cache
def _daily(names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    return f"""
        SELECT {_own("a.date_key")} AS tag{_listed("a.", keys)}{_signed("a.", names)}
          FROM {DAY_ROWS},
               LATERAL (SELECT date_key, location_key, bot_key, {", ".join(names)} FROM agg_daily_metrics
                         WHERE location_key = r.place AND date_key BETWEEN r.first AND r.last
                           AND ($6::int[] IS NULL OR bot_key = ANY($6)) {FENCE}) a
         GROUP BY {_numbers(keys)}"""  # noqa: S608 - registry names


@cache
def _hourly(names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    return f"""
        SELECT {_own("(extract(epoch FROM a.hour) / 3600)::int")} AS tag{_listed("a.", keys)}{_signed("a.", names)}
          FROM {MOMENT_ROWS},
               LATERAL (SELECT hour, location_key, bot_key, {", ".join(names)} FROM agg_hourly_metrics
                         WHERE location_key = r.place AND hour >= r.since AND hour < r.until
                           AND ($6::int[] IS NULL OR bot_key = ANY($6)) {FENCE}) a
         GROUP BY {_numbers(keys)}"""  # noqa: S608 - registry names


@cache
def _edges(fact: str, names: tuple[str, ...], keys: tuple[str, ...], of_day: bool) -> str:
    """The facts lie under real places only; an edge's hour is the one it begins in."""
    moment = MOMENT[fact]
    days = ", $7::int[]" if of_day else ""
    counted = ", ".join(f"coalesce({MEASURES[name].expression}, 0)::bigint AS {name}" for name in names)
    return f"""
        SELECT {_own("(floor(extract(epoch FROM r.since) / 3600))::int")} AS tag{_listed("f.", keys)}
               {_signed("f.", names)}
          FROM unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[]{days})
                   AS r (tag, sign, place, since, until{", day" if of_day else ""})
         CROSS JOIN LATERAL (
            SELECT location_key, bot_key, {counted} FROM {fact}
             WHERE location_key = r.place AND {moment} >= r.since AND {moment} < r.until
                   {"AND date_key = r.day" if of_day else ""} AND ($6::int[] IS NULL OR bot_key = ANY($6))
             GROUP BY location_key, bot_key) f
         GROUP BY {_numbers(keys)}"""  # noqa: S608 - registry names


def _own(bucket: str) -> str:
    return f"CASE WHEN r.tag = {OWN} THEN {bucket} ELSE r.tag END"


def _listed(prefix: str, keys: Iterable[str]) -> str:
    return "".join(f", {prefix}{key}" for key in keys)


def _signed(prefix: str, names: Iterable[str]) -> str:
    return "".join(f", sum(r.sign * {prefix}{name})::bigint AS {name}" for name in names)


def _numbers(keys: Sequence[str]) -> str:
    return ", ".join(map(str, range(1, len(keys) + 2)))
