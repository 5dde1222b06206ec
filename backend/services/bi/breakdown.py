"""A figure divided by a dimension: rows that add up to the figure, from the smallest table that knows the dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backend.metrics import MEASURES, Dimension, Figure, Shape
from backend.services.bi import latency, stocks
from backend.services.bi.division import UNDIVIDED, Division
from backend.storage.warehouse import drills, heard, latencies, sums
from backend.storage.warehouse import stocks as store
from backend.storage.warehouse.drills import Worth
from backend.storage.warehouse.latencies import NO_LATENCIES, Table
from backend.storage.warehouse.ranges import ceil, hour_number
from backend.storage.warehouse.where import Key
from domain import errors
from domain.kpis import Unit

if TYPE_CHECKING:
    from backend.storage.pool import Connection


PIPELINE = "revenue_pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A part of a figure, `n` cases strong."""

    key: Key
    value: float | None
    n: int
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """`rows` and, made of the same, the figure itself. `pinned`: later pages see the same rows; `source` as in answers."""

    rows: Sequence[Row]
    total: Row
    pinned: bool
    source: str


async def of(connection: Connection, division: Division) -> Breakdown:
    """Raises: TooMuchError for more rows than anybody reads."""
    match division.figure.shape:
        case Shape.STOCK if division.figure.unit is Unit.CENTS:
            found = await _pipeline(connection, division)
        case Shape.STOCK:
            found = await _leads(connection, division)
        case Shape.QUANTILE:
            found = await _latencies(connection, division)
        case _:
            found = await _measures(connection, division)
    if len(found.rows) > drills.MOST_ROWS:
        raise errors.TooMuchError(
            f"That makes more than {drills.MOST_ROWS} rows.",
            where="group_by",
            hint="Ask for a shorter time, or filter.",
        )
    return found


async def undivided(connection: Connection, division: Division) -> Row:
    """The figure itself."""
    if division.figure.name == PIPELINE and not division.filters and division.received_by is None:
        return _standing(await stocks.pipeline_of(connection, division.places))
    whole = replace(division, by=UNDIVIDED)
    if division.figure.shape is Shape.STOCK or not whole.aggregated:
        whole = replace(division, by=Dimension.LOCATION)
    return (await of(connection, whole)).total


async def or_no_data(connection: Connection, division: Division, total: Row) -> Row:
    """`total`; null where nothing was ever heard of that it counts, as the tile says it: 0 is none."""
    if total.value is None or total.value or total.n or await _known(connection, division):
        return total
    return Row(key=None, value=None, n=0)


async def _known(connection: Connection, division: Division) -> bool:
    figure = division.figure
    if division.money or figure.name == PIPELINE:
        return await store.first_deal_day(connection, division.places) is not None
    if figure.shape is Shape.STOCK:
        return await heard.of_leads(connection, division.keys)
    return await heard.of_fact(connection, MEASURES[figure.measures[0]].fact, division.places)


async def hours(connection: Connection, division: Division, after: int | None, limit: int) -> Breakdown:
    """By hour, so many rows and one more: those after the hour `after`. A page reads its own hours, not a year of them."""
    within = division.within()
    begin, end = (0 if one is None else hour_number(ceil(one)) for one in (within.since, within.until))
    begin = begin - 1 if after is None else after + 1  # half an hour may come before the first whole one
    total = await undivided(connection, division)
    rows: list[Row] = []
    width = 2 * (limit + 1)
    while total.n and begin < end and len(rows) <= limit:
        part = await of(connection, replace(division, hours=(begin, min(begin + width, end))))
        rows += [row for row, _ in in_order(part.rows, "key")]
        begin, width = begin + width, 4 * width
    return Breakdown(
        rows=rows,
        total=total,
        pinned=False,
        source="aggregates" if division.aggregated else "facts",
    )


async def _measures(connection: Connection, division: Division) -> Breakdown:
    names = wanted(division.figure)
    if division.aggregated:
        by = _COLUMNS.get(division.by)
        found = await sums.of_span(
            connection, names, division.span(), by=[by] if by else [], bots=division.bots
        )
        by_key: dict[Key, dict[str, int]] = {}
        for group, counted in found.items():
            if division.counts(group):
                held = by_key.setdefault(division.key_of(group), dict.fromkeys(names, 0))
                for name in names:
                    held[name] += counted[name]
    else:
        by_key = await drills.measured(connection, names, division.within(), division.by, division.filters)
    rows = [
        measured(division.figure, key, counted) for key, counted in by_key.items() if any(counted.values())
    ]
    whole = {name: sum(counted[name] for counted in by_key.values()) for name in names}
    return Breakdown(
        rows=rows,
        total=measured(division.figure, None, whole),
        pinned=not division.aggregated,
        source="aggregates" if division.aggregated else "facts",
    )


_COLUMNS: Mapping[str, str] = {Dimension.LOCATION: sums.PLACE, Dimension.BOT: sums.BOT}


def wanted(figure: Figure) -> list[str]:
    """Its measures, and what tells how many cases money is made of."""
    names = list(figure.measures)
    return [*names, "deals_won"] if figure.unit is Unit.CENTS else names


def measured(figure: Figure, key: Key, counted: Mapping[str, int]) -> Row:
    """A row out of its measures' sums."""
    first = counted[figure.measures[0]]
    if figure.shape is Shape.RATIO:
        n = counted[figure.measures[1]]
        if not n:
            return Row(key=key, value=None, n=0)
        return Row(key=key, value=first * figure.factor / n, n=n, parts={figure.measures[0]: first})
    return Row(key=key, value=first, n=counted.get("deals_won", first))


async def _latencies(connection: Connection, division: Division) -> Breakdown:
    kind = division.figure.timed or ""
    events = division.filters.get(Dimension.EVENT_TYPE, (kind,))
    division = replace(
        division,
        filters={name: values for name, values in division.filters.items() if name != Dimension.EVENT_TYPE},
    )
    found: Table[Key] = NO_LATENCIES
    if kind in events and (division.aggregated or division.by == Dimension.EVENT_TYPE):
        by = _COLUMNS.get(division.by)
        groups = await latencies.table(
            connection, kind, division.span(), by=[by] if by else [], bots=division.bots
        )
        of_kind = division.by == Dimension.EVENT_TYPE
        found = groups.renamed(lambda group: kind if of_kind else division.key_of(group), division.counts)
    elif kind in events:
        found = await drills.timed(connection, kind, division.within(), division.by, division.filters)
    [total] = timed(division.figure, found.renamed(lambda _: None, lambda _: True)) or [
        Row(key=None, value=None, n=0)
    ]
    rows = [row for row in timed(division.figure, found) if row.n]
    return Breakdown(rows=rows, total=total, pinned=False, source="aggregates")


def timed(figure: Figure, found: Table[Key]) -> list[Row]:
    """A quantile adds up to nothing; its cases do."""
    values, middles = (
        latency.quantiles_us(found.counts, found.low, q) for q in (figure.quantile or 0.95, 0.5)
    )
    return [
        Row(
            key=key,
            value=None if value is None else round(value * figure.factor, 3),
            n=n,
            parts={} if middle is None else {"p50_ms": round(middle * figure.factor, 3)},
        )
        for key, value, middle, n in zip(
            found.groups, values, middles, found.counts.sum(axis=1).tolist(), strict=True
        )
    ]


async def _leads(connection: Connection, division: Division) -> Breakdown:
    filters = division.lead_filters
    if filters is None:
        return Breakdown(rows=[], total=Row(key=None, value=0, n=0), pinned=False, source="facts")
    hot = division.figure.name == "hot_leads"
    found = await drills.active(connection, division.calendar.now, division.keys, division.by, filters)

    def row(key: Key, n: int, late: int) -> Row:
        return Row(key=key, value=n, n=n, parts={"past_due": late} if hot else {})

    total = row(None, sum(n for n, _ in found.values()), sum(late for _, late in found.values()))
    return Breakdown(
        rows=[row(key, *counted) for key, counted in found.items()], total=total, pinned=False, source="facts"
    )


async def _pipeline(connection: Connection, division: Division) -> Breakdown:
    found = await drills.standing(
        connection, stocks.ODDS, division.within_stock(), division.by, division.filters
    )
    total = Row(
        key=None,
        value=sum(one.value for one in found),
        n=sum(one.deals for one in found),
        parts={
            "gross_cents": sum(one.gross_cents for one in found),
            "company_cents": sum(one.company_cents for one in found),
        },
    )
    return Breakdown(rows=[worth(one) for one in found], total=total, pinned=True, source="facts")


def _standing(pipe: stocks.Pipeline) -> Row:
    parts = {"gross_cents": pipe.gross_cents, "company_cents": pipe.company_cents}
    return Row(key=None, value=pipe.weighted_cents, n=pipe.deals, parts=parts)


def worth(one: Worth) -> Row:
    """A part of the pipeline."""
    parts = {"gross_cents": one.gross_cents, "company_cents": one.company_cents}
    return Row(key=one.key, value=one.value, n=one.deals, parts=parts)


def in_order(rows: Sequence[Row], order: str) -> list[tuple[Row, tuple[object, ...]]]:
    """Rows with their sort keys: `value`: largest first; `key`: by key, unknown last."""
    keyed: Callable[[Row], tuple[object, ...]] = _by_value if order == "value" else _by_key
    return sorted(((row, keyed(row)) for row in rows), key=lambda pair: pair[1])


def _by_key(row: Row) -> tuple[object, ...]:
    number = row.key if isinstance(row.key, int) else 0
    return (row.key is None, number, "" if row.key is None else str(row.key))


def _by_value(row: Row) -> tuple[object, ...]:
    return (-(row.value or 0), *_by_key(row))
