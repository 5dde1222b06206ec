"""Latencies over a span, as counts of the cells of `bi_latency_cell` (decision 0013): they add up, quantiles don't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.storage.warehouse.ranges import FENCE, OWN, Group, Moments, Span, hour_number
from backend.storage.warehouse.scope import ALL_BOTS

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection

CELLS = 761
"""As many as `bi_latency_cell` knows."""
Counts = NDArray[np.int64]
Histograms = dict[Group, Counts]
"""Group → how many latencies each cell holds."""
_BINARY = np.dtype([("length", ">i4"), ("value", ">i8")])
_BINARY_HEADER = 20
_DAY = timedelta(days=1)


async def of_span(
    connection: Connection,
    kind: str,
    span: Span,
    *,
    by: Sequence[str] = (),
    bots: Sequence[int] | None = None,
) -> Histograms:
    """Each group's latencies of events of `kind`; groups are (tag, *by), `by` of location_key and bot_key."""
    keys = tuple(by)
    wanted = [ALL_BOTS] if bots is None and "bot_key" not in keys else bots
    cells: list[_Cells] = []
    for grain, ranges in (("d", _midnights(span)), ("h", span.hours)):
        if ranges:
            rows = await connection.fetch(_stored(keys), *_columns(ranges), kind, grain, wanted)
            cells += [_of_row(row, grain, keys) for row in rows]
    if span.edges:
        rows = await connection.fetch(_facts(keys), *_columns(span.edges), kind, bots)
        cells += [_of_edge(row, keys) for row in rows]
    return _summed(cells)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Counts of one group from the cell `low` on, in the binary form that they travel in."""

    group: Group
    sign: int
    low: int
    counts: bytes


def _of_row(row: asyncpg.Record, grain: str, keys: Sequence[str]) -> _Cells:
    tag = row["tag"] if row["tag"] != OWN else _number(grain, row["bucket"])
    group = (tag, *(row[key] for key in keys))
    return _Cells(group, row["sign"], row["low"], row["counts"][_BINARY_HEADER:])


def _of_edge(row: asyncpg.Record, keys: Sequence[str]) -> _Cells:
    tag = row["tag"] if row["tag"] != OWN else hour_number(row["since"])
    one = np.array([(8, row["n"])], _BINARY).tobytes()
    return _Cells((tag, *(row[key] for key in keys)), row["sign"], row["cell"], one)


def _summed(cells: Sequence[_Cells]) -> Histograms:
    """All at once: row by row it would cost as much as the query."""
    if not cells:
        return {}
    groups = {group: n for n, group in enumerate(dict.fromkeys(one.group for one in cells))}
    values = np.frombuffer(b"".join(one.counts for one in cells), _BINARY)["value"].astype(np.int64)
    lengths = np.array([len(one.counts) // _BINARY.itemsize for one in cells])
    starts = np.array([groups[one.group] * CELLS + one.low for one in cells])
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    places = np.arange(len(values)) + np.repeat(starts - first, lengths)
    summed = np.zeros(len(groups) * CELLS, np.int64)
    np.add.at(summed, places, values * np.repeat(np.array([one.sign for one in cells]), lengths))
    return {group: summed[n * CELLS : (n + 1) * CELLS] for group, n in groups.items()}


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


def _number(grain: str, bucket: datetime) -> int:
    return hour_number(bucket) if grain == "h" else bucket.year * 10_000 + bucket.month * 100 + bucket.day


def decoded(sent: bytes) -> Counts:
    """The binary form of a bigint[]: as Python numbers it would cost twenty times as much."""
    return np.frombuffer(sent, _BINARY, offset=_BINARY_HEADER)["value"].astype(np.int64)


def _columns(moments: Sequence[Moments]) -> tuple[list[object], ...]:
    return (
        [moment.tag for moment in moments],
        [moment.sign for moment in moments],
        [moment.place for moment in moments],
        [moment.since for moment in moments],
        [moment.until for moment in moments],
    )


_BOTS = f"""coalesce($8::int[], (SELECT array_agg(bot_key) FROM dim_bot WHERE bot_key <> {ALL_BOTS}))"""  # noqa: S608 - fixed words
_RANGES = """unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[])
                AS r (tag, sign, place, since, until)"""


def _stored(keys: Sequence[str]) -> str:
    return f"""
        SELECT r.tag, r.sign, a.bucket, a.low, array_send(a.counts) AS counts{"".join(f", a.{key}" for key in keys)}
          FROM {_RANGES}, unnest({_BOTS}) AS wanted (bot_key),
               LATERAL (SELECT location_key, bot_key, bucket, low, counts FROM agg_latency_hist h
                         WHERE h.location_key = r.place AND h.bot_key = wanted.bot_key AND h.kind = $6
                           AND h.grain = $7::text::"char" AND h.bucket >= r.since AND h.bucket < r.until {FENCE}) a"""  # noqa: S608 - fixed words


def _facts(keys: Sequence[str]) -> str:
    listed = "".join(f", f.{key}" for key in keys)
    return f"""
        SELECT r.tag, r.sign, r.since, bi_latency_cell(f.processing_us) AS cell, count(*) AS n{listed}
          FROM {_RANGES},
               LATERAL (SELECT location_key, bot_key, processing_us FROM fact_bot_performance
                         WHERE location_key = r.place AND occurred_at >= r.since AND occurred_at < r.until
                           AND event_type = $6 AND processing_us IS NOT NULL
                           AND ($7::int[] IS NULL OR bot_key = ANY($7)) {FENCE}) f
         GROUP BY 1, 2, 3, 4{listed}"""  # noqa: S608 - fixed words
