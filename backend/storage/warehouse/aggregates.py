"""What the aggregates of some days must hold, counted from the facts by the registry's expressions, and where they differ.

Nothing here is shared with the triggers that keep the aggregates: it is their proof. Each table's statement gives two numbers,
how many rows there must be and how many are not as they must be; with `mend` it also writes those.
Parameters: $1 and $2, the first day and the day after the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.metrics import MEASURES, measures
from backend.storage.warehouse.scope import ALL, ALL_BOTS

# Days of offices reach beyond those of UTC; a ledger's line may be later than the day it counts on, never earlier.
MOMENTS = (
    "{moment} >= $1::date::timestamp AT TIME ZONE 'UTC' AND {moment} < $2::date::timestamp AT TIME ZONE 'UTC'"
)
_DAYS = (
    "date_key >= to_char($1::date, 'YYYYMMDD')::int AND date_key < to_char($2::date, 'YYYYMMDD')::int "
    "AND {moment} >= ($1::date - 2)::timestamp AT TIME ZONE 'UTC'"
)
_UNTIL = " AND {moment} < ($2::date + 2)::timestamp AT TIME ZONE 'UTC'"
_HOUR = "date_trunc('hour', {moment}, 'UTC')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`expected`: a query of `keys` and `values`; `there`: which rows of the table belong to the days."""

    name: str
    keys: Sequence[str]
    values: Sequence[str]
    expected: str
    there: str

    def differing(self, *, mend: bool) -> str:
        """The statement: (rows, differed)."""
        keys, values = ", ".join(self.keys), ", ".join(self.values)
        wrong = " OR ".join(f"coalesce(e.{v}, 0) <> coalesce(a.{v}, 0)" for v in self.values)
        wanted = ", ".join(f"coalesce(e.{v}, 0) AS {v}" for v in self.values)
        written = ", ".join(f"{v} = excluded.{v}" for v in self.values)
        mended = f""", mended AS (
            INSERT INTO {self.name} ({keys}, {values}) SELECT {keys}, {values} FROM wrong ORDER BY {keys}
            ON CONFLICT ({keys}) DO UPDATE SET {written})"""  # noqa: S608 - fixed words
        return f"""
            WITH expected AS MATERIALIZED ({self.expected}),
            wrong AS MATERIALIZED (
                SELECT {keys}, {wanted} FROM expected e
                  FULL JOIN (SELECT * FROM {self.name} WHERE {self.there}) a USING ({keys}) WHERE {wrong})
            {mended if mend else ""}
            SELECT (SELECT count(*) FROM expected), (SELECT count(*) FROM wrong)"""  # noqa: S608 - fixed words


def _metrics(
    name: str, when: str, fact_time: Mapping[str, str], fact_where: Mapping[str, str], there: str
) -> Table:
    columns = list(MEASURES)
    parts = []
    for fact in measures.MOMENT:
        counted = ", ".join(
            f"coalesce({m.expression}, 0)::bigint AS {m.name}" if m.fact == fact else f"0 AS {m.name}"
            for m in MEASURES.values()
        )
        parts.append(
            f"SELECT {fact_time[fact]} AS {when}, coalesce(location_key, {ALL}) AS location_key, bot_key, {counted} "  # noqa: S608 - fixed words
            f"FROM {fact} WHERE {fact_where[fact]} GROUP BY 1, bot_key, GROUPING SETS ((location_key), ())"
        )
    sums = ", ".join(f"sum({one})::bigint AS {one}" for one in columns)
    return Table(
        name=name,
        keys=("location_key", when, "bot_key"),
        values=columns,
        expected=f"SELECT location_key, {when}, bot_key, {sums} FROM ({' UNION ALL '.join(parts)}) parts GROUP BY 1, 2, 3",  # noqa: S608 - fixed words
        there=there,
    )


def _days(fact: str) -> str:
    moment = measures.MOMENT[fact]
    return (_DAYS if fact == measures.MONEY else _DAYS + _UNTIL).format(moment=moment)


HOURLY = _metrics(
    "agg_hourly_metrics",
    "hour",
    {fact: _HOUR.format(moment=moment) for fact, moment in measures.MOMENT.items()},
    {fact: MOMENTS.format(moment=moment) for fact, moment in measures.MOMENT.items()},
    MOMENTS.format(moment="hour"),
)
_THESE_DAYS = _DAYS.partition(" AND {moment}")[0]
DAILY = _metrics(
    "agg_daily_metrics",
    "date_key",
    dict.fromkeys(measures.MOMENT, "date_key"),
    {fact: _days(fact) for fact in measures.MOMENT},
    _THESE_DAYS,
)
_STOCK = ("deals", "price_cents", "gross_cents", "company_cents")
PIPELINE = Table(
    name="agg_daily_pipeline",
    keys=("location_key", "date_key", "stage", "sells"),
    values=_STOCK,
    expected=f"""SELECT coalesce(location_key, {ALL}) AS location_key, date_key, stage, sells,
                        {", ".join(f"sum({one})::bigint AS {one}" for one in _STOCK)}
                   FROM {measures.MONEY} WHERE {_days(measures.MONEY)}
                  GROUP BY date_key, stage, sells, GROUPING SETS ((location_key), ())""",  # noqa: S608 - fixed words
    there=_THESE_DAYS,
)
TABLES: Sequence[Table] = (HOURLY, DAILY, PIPELINE)

# Histograms are compared cell by cell, so that zeros at their ends make no difference.
_KEYS = "location_key, bot_key, kind, grain, bucket"
_BUCKET = "to_date(date_key::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'"
_TIMED = "processing_us IS NOT NULL AND event_type IN ('scored', 'turn')"


def _cells(grain: str, bucket: str, where: str) -> str:
    return f"""
        SELECT coalesce(location_key, {ALL}) AS location_key, coalesce(bot_key, {ALL_BOTS}) AS bot_key, event_type AS kind,
               '{grain}'::"char" AS grain, {bucket} AS bucket, bi_latency_cell(processing_us) AS cell, count(*) AS n
          FROM {measures.BOTS} WHERE {_TIMED} AND {where}
         GROUP BY event_type, 5, 6, CUBE (location_key, bot_key)"""  # noqa: S608 - fixed words


_EXPECTED_CELLS = (
    _cells("h", _HOUR.format(moment="occurred_at"), MOMENTS.format(moment="occurred_at"))
    + " UNION ALL "
    + _cells("d", _BUCKET, _days(measures.BOTS))
)
_MENDED = f""", mended AS (
    INSERT INTO agg_latency_hist ({_KEYS}, low, counts)
    SELECT {_KEYS}, coalesce(low, 0),
           coalesce((SELECT array_agg(coalesce(n, 0) ORDER BY i)
                       FROM generate_series(low, high) i LEFT JOIN unnest(cells, ns) AS held (cell, n) ON cell = i), ARRAY[0]::bigint[])
      FROM wrong LEFT JOIN (
           SELECT {_KEYS}, min(cell) AS low, max(cell) AS high, array_agg(cell) AS cells, array_agg(n) AS ns
             FROM expected GROUP BY {_KEYS}) AS whole USING ({_KEYS})
     ORDER BY {_KEYS}
    ON CONFLICT ({_KEYS}) DO UPDATE SET low = excluded.low, counts = excluded.counts)"""  # noqa: S608 - fixed words


def latencies(*, mend: bool) -> str:
    """As `Table.differing`, for agg_latency_hist; its rows are histograms."""
    return f"""
        WITH expected AS MATERIALIZED ({_EXPECTED_CELLS}),
        held AS (
            SELECT {_KEYS}, (low + place - 1)::int AS cell, n
              FROM agg_latency_hist, unnest(counts) WITH ORDINALITY AS cells (n, place)
             WHERE n <> 0 AND {MOMENTS.format(moment="bucket")}),
        wrong AS MATERIALIZED (
            SELECT DISTINCT {_KEYS} FROM expected e FULL JOIN held h USING ({_KEYS}, cell)
             WHERE coalesce(e.n, 0) <> coalesce(h.n, 0))
        {_MENDED if mend else ""}
        SELECT (SELECT count(*) FROM (SELECT DISTINCT {_KEYS} FROM expected) rows), (SELECT count(*) FROM wrong)"""  # noqa: S608 - fixed words
