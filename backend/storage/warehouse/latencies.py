"""Latencies over a span, as counts of the cells of `bi_latency_cell` (decision 0013): they add up, quantiles don't."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.storage.warehouse.ranges import (
    FENCE,
    MOMENT_ROWS,
    OWN,
    Group,
    Moments,
    Span,
    date_key,
    hour_number,
    moment_columns,
)
from backend.storage.warehouse.scope import ALL_BOTS

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection

CELLS = 761
"""As many as `bi_latency_cell` knows."""
Counts = NDArray[np.int64]
Histograms = dict[Group, Counts]
"""Group → how many latencies each cell holds."""
Named = TypeVar("Named", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)
_BINARY = np.dtype([("length", ">i4"), ("value", ">i8")])
_BINARY_HEADER = 20
_DAY = timedelta(days=1)
_date_key = lru_cache(maxsize=1024)(date_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[Named]):
    """Histograms of many groups, one a row of `counts`, whose first column is the cell `low`."""

    groups: Sequence[Named]
    low: int
    counts: Counts

    def renamed(self, name: Callable[[Named], Other], keep: Callable[[Named], bool]) -> Table[Other]:
        """Only the groups to keep; those that get one name become one."""
        kept = [n for n, group in enumerate(self.groups) if keep(group)]
        names = [name(self.groups[n]) for n in kept]
        places = {one: n for n, one in enumerate(dict.fromkeys(names))}
        counts = self.counts if len(kept) == len(self.groups) else self.counts[kept]
        if len(places) < len(names):
            summed = np.zeros((len(places), counts.shape[1]), np.int64)
            np.add.at(summed, np.array([places[one] for one in names], np.intp), counts)
            counts = summed
        return Table(groups=list(places), low=self.low, counts=counts)


NO_LATENCIES: Table[Any] = Table(groups=[], low=0, counts=np.zeros((0, 0), np.int64))


async def of_span(
    connection: Connection,
    kind: str,
    span: Span,
    *,
    by: Sequence[str] = (),
    bots: Sequence[int] | None = None,
) -> Histograms:
    """Each group's latencies of events of `kind`; groups are (tag, *by), `by` of location_key and bot_key."""
    found = await table(connection, kind, span, by=by, bots=bots)
    whole = np.zeros((len(found.groups), CELLS), np.int64)
    whole[:, found.low : found.low + found.counts.shape[1]] = found.counts
    return dict(zip(found.groups, whole, strict=True))


async def table(
    connection: Connection,
    kind: str,
    span: Span,
    *,
    by: Sequence[str] = (),
    bots: Sequence[int] | None = None,
) -> Table[Group]:
    """The same for thousands of groups, which as arrays of their own would cost more than the query."""
    keys = tuple(by)
    wanted = [ALL_BOTS] if bots is None and "bot_key" not in keys else bots
    parts: list[_Part[Group]] = []
    for grain, ranges in (("d", _midnights(span)), ("h", span.hours)):
        if ranges:
            rows = await connection.fetch(_stored(keys), *moment_columns(ranges), kind, grain, wanted)
            parts.append(_of_rows(rows, grain))
    if span.edges:
        parts.append(_of_edges(await connection.fetch(_facts(keys), *moment_columns(span.edges), kind, bots)))
    return _summed(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part(Generic[Named]):
    """Counts as they came: row by row its group, its sign, its first cell, how many cells, and `values`, row after row."""

    groups: Sequence[Named]
    signs: NDArray[np.int64]
    lows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    values: Counts


def _of_rows(rows: Sequence[asyncpg.Record], grain: str) -> _Part[Group]:
    number = hour_number if grain == "h" else _date_key
    sent = [row["counts"] for row in rows]
    cells = np.frombuffer(b"".join([one[_BINARY_HEADER:] for one in sent]), _BINARY)
    return _Part(
        groups=[
            (tag if tag != OWN else number(bucket), *group)
            for tag, bucket, _, _, _, *group in map(tuple, rows)
        ],
        signs=np.array([row["sign"] for row in rows], np.int64),
        lows=np.array([row["low"] for row in rows], np.int64),
        lengths=(np.array([len(one) for one in sent], np.int64) - _BINARY_HEADER) // _BINARY.itemsize,
        values=cells["value"].astype(np.int64),
    )


def _of_edges(rows: Sequence[asyncpg.Record]) -> _Part[Group]:
    groups = [
        (tag if tag != OWN else hour_number(since), *group)
        for tag, since, _, _, _, *group in map(tuple, rows)
    ]
    return _of_cells(groups, rows, [row["sign"] for row in rows])


def _of_cells(groups: Sequence[Named], rows: Sequence[asyncpg.Record], signs: Sequence[int]) -> _Part[Named]:
    return _Part(
        groups=groups,
        signs=np.array(signs, np.int64),
        lows=np.array([row["cell"] for row in rows], np.int64),
        lengths=np.ones(len(rows), np.int64),
        values=np.array([row["n"] for row in rows], np.int64),
    )


def counted(groups: Sequence[Named], rows: Sequence[asyncpg.Record]) -> Table[Named]:
    """Of rows that say of a group how many (`n`) latencies a `cell` holds."""
    return _summed([_of_cells(groups, rows, [1] * len(rows))])


def _summed(parts: Sequence[_Part[Named]]) -> Table[Named]:
    """All at once: row by row it would cost as much as the query."""
    listed = [group for part in parts for group in part.groups]
    if not listed:
        return NO_LATENCIES
    groups = {group: n for n, group in enumerate(dict.fromkeys(listed))}
    lows = np.concatenate([part.lows for part in parts])
    lengths = np.concatenate([part.lengths for part in parts])
    low, width = int(lows.min()), int((lows + lengths).max() - lows.min())
    starts = np.array([groups[group] for group in listed], np.int64) * width + lows - low
    ends = np.cumsum(lengths)
    places = np.arange(int(ends[-1])) + np.repeat(starts - ends + lengths, lengths)
    values = np.concatenate([part.values for part in parts])
    signs = np.concatenate([part.signs for part in parts])
    summed = np.zeros(len(groups) * width, np.int64)
    np.add.at(summed, places, values if (signs == 1).all() else values * np.repeat(signs, lengths))
    return Table(groups=list(groups), low=low, counts=summed.reshape(len(groups), width))


def _midnights(span: Span) -> list[Moments]:
    """Days as the histograms name them: by midnight UTC of the day at the office."""
    return [
        Moments(
            place=d.place, since=_midnight(d.first), until=_midnight(d.last) + _DAY, tag=d.tag, sign=d.sign
        )
        for d in span.days
    ]


def _midnight(key: int) -> datetime:
    return datetime.fromisoformat(f"{key:08}T00:00:00+00:00")


def decoded(sent: bytes) -> Counts:
    """The binary form of a bigint[]: as Python numbers it would cost twenty times as much."""
    return np.frombuffer(sent, _BINARY, offset=_BINARY_HEADER)["value"].astype(np.int64)


_BOTS = f"""coalesce($8::int[], (SELECT array_agg(bot_key) FROM dim_bot WHERE bot_key <> {ALL_BOTS}))"""  # noqa: S608 - fixed words


def _stored(keys: Sequence[str]) -> str:
    return f"""
        SELECT r.tag, a.bucket, r.sign, a.low, array_send(a.counts) AS counts{"".join(f", a.{key}" for key in keys)}
          FROM {MOMENT_ROWS}, unnest({_BOTS}) AS wanted (bot_key),
               LATERAL (SELECT location_key, bot_key, bucket, low, counts FROM agg_latency_hist h
                         WHERE h.location_key = r.place AND h.bot_key = wanted.bot_key AND h.kind = $6
                           AND h.grain = $7::text::"char" AND h.bucket >= r.since AND h.bucket < r.until {FENCE}) a"""  # noqa: S608 - fixed words


def _facts(keys: Sequence[str]) -> str:
    listed = "".join(f", f.{key}" for key in keys)
    return f"""
        SELECT r.tag, r.since, r.sign, bi_latency_cell(f.processing_us) AS cell, count(*) AS n{listed}
          FROM {MOMENT_ROWS},
               LATERAL (SELECT location_key, bot_key, processing_us FROM fact_bot_performance
                         WHERE location_key = r.place AND occurred_at >= r.since AND occurred_at < r.until
                           AND event_type = $6 AND processing_us IS NOT NULL
                           AND ($7::int[] IS NULL OR bot_key = ANY($7)) {FENCE}) f
         GROUP BY 1, 2, 3, 4{listed}"""  # noqa: S608 - fixed words
