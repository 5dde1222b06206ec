"""GET /api/bi/revenue-intelligence: revenue over time, what the commission is made of, and where it is heading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from backend.actor import Actor
from backend.metrics import FIGURES
from backend.policy import Permission
from backend.services.bi import commission, compare, forecast, question, spans
from backend.services.bi.closed import EARNED, Reader
from backend.services.bi.question import Question
from backend.services.bi.spans import ASKED, BEFORE, ONE_DAY, Calendar
from backend.storage.warehouse import money, names, newest, stocks
from backend.storage.warehouse.ranges import Span, Sums
from domain import kpis
from domain.kpis import Unit

if TYPE_CHECKING:
    from backend.deps import Deps

TIMEFRAMES = ("7d", "30d", "90d", "1y")
FEWEST_DAYS, MOST_DAYS = 30, 365
Row = Mapping[str, int]
_STEP: Mapping[str, str] = {"7d": "day", "30d": "day", "90d": "week", "1y": "month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueQuestion(Question):
    name: ClassVar[str] = "revenue-intelligence"
    rolling: ClassVar[bool] = False

    forecast_days: int | None = 90
    """None: no forecast is wanted."""

    def options(self) -> Mapping[str, Any]:
        return {"forecast_days": self.forecast_days}


async def ask(
    deps: Deps,
    actor: Actor,
    *,
    location_id: str = "",
    timeframe: str = "30d",
    forecast_days: int | None = 90,
) -> RevenueQuestion:
    """Raises: ForbiddenError."""
    scope, offices = await question.whose(deps, actor, location_id, Permission.SEE_MONEY)
    return RevenueQuestion(scope=scope, offices=offices, timeframe=timeframe, forecast_days=forecast_days)


async def answer(deps: Deps, asked: RevenueQuestion) -> dict[str, Any]:
    """All but the forecast read in one snapshot of the warehouse. Raises: TooMuchError."""
    calendar = asked.calendar(deps.clock.now())
    view = deps.answers.buckets.view()
    async with question.opened(deps, asked.scope) as connection:
        reads = Reader(deps=deps, connection=connection, calendar=calendar, view=view)
        since = await stocks.first_deal_day(connection, asked.scope.places)
        found = await reads.sums(EARNED, _span(calendar, asked.timeframe))
        spread = calendar.asked(asked.timeframe, money=True, spread=True)
        earned = await money.earned(connection, spread.days)
        standing = await money.standing(connection, asked.scope.keys)
        watermark = await newest.event(connection, asked.scope, calendar.now)
    called = commission.Names.of(asked.offices, await _agents(deps, [*earned, *standing]))
    ahead = None
    if asked.forecast_days is not None:
        ahead = await forecast.revenue_forecast(
            deps, asked.scope, days=asked.forecast_days, offices=asked.offices
        )
    return {
        "revenue_timeseries": _series(found, calendar, asked, since),
        "commission_breakdown": commission.divided(earned, standing, called, known=since is not None),
        "predictive_trends": ahead,
        "summary_metrics": _summary(found, calendar, asked, since),
        "forecast_accuracy": await forecast.forecast_accuracy(deps, asked.scope, offices=asked.offices),
        "timeframe": asked.timeframe,
        "locations": [office.id for office in asked.offices],
        **question.stamps(calendar.now, watermark, "aggregates"),
    }


async def _agents(deps: Deps, parts: Sequence[money.Part]) -> Mapping[str, str]:
    ids = {part.key for part in parts if part.division == "agent" and part.key}
    async with deps.pool.acquire() as connection:
        return await names.of_agents(connection, ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A point of the series: days from `first` to `last`."""

    first: date
    last: date


def steps(calendar: Calendar, timeframe: str) -> list[Step]:
    """Days, weeks from Monday or months of the timeframe; the first and the last may be parts."""
    if not calendar.offices:
        return []
    firsts = sorted(calendar.today(office) for office in calendar.offices)
    begin, end = firsts[0] - (spans.DAYS[timeframe] - 1) * ONE_DAY, firsts[-1]
    found, first = [], begin
    while first <= end:
        last = min(end, _last_day(first, _STEP[timeframe]))
        found.append(Step(first=first, last=last))
        first = last + ONE_DAY
    return found


def _last_day(first: date, step: str) -> date:
    if step == "day":
        return first
    if step == "week":
        return first + (6 - first.weekday()) * ONE_DAY
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY


def _span(calendar: Calendar, timeframe: str) -> Span:
    """The time asked for, day by day and as one sum, and the time before, in one reading."""
    days, whole = calendar.by_day(timeframe, money=True), calendar.asked(timeframe, money=True)
    return days + whole + calendar.before(timeframe, money=True)


def _series(
    found: Sums, calendar: Calendar, asked: RevenueQuestion, since: int | None
) -> list[dict[str, Any]]:
    """Nothing came on a day without rows; before `since`, the ledger's first day, nothing is known: null."""
    by_day = {group[0]: row for group, row in found.items()}
    today = min((calendar.today(office) for office in calendar.offices), default=date.min)
    points = []
    for step in steps(calendar, asked.timeframe):
        first, last = spans.date_key(step.first), spans.date_key(step.last)
        known = since is not None and last >= since
        rows = [row for key, row in by_day.items() if first <= key <= last]
        points.append(
            {
                "start": step.first.isoformat(),
                "end": step.last.isoformat(),
                "step": _STEP[asked.timeframe],
                "complete": step.last < today,
                **{name: sum(row[name] for row in rows) if known else None for name in EARNED},
            }
        )
    return points


def _summary(
    found: Sums, calendar: Calendar, asked: RevenueQuestion, since: int | None
) -> dict[str, dict[str, Any]]:
    """Each figure of the timeframe beside that of the equal part before it, and what follows from them."""
    nothing = dict.fromkeys(EARNED, 0)
    now = nothing | found.get((ASKED,), {}) if since is not None else None
    before = (
        nothing | found.get((BEFORE,), {}) if since is not None and since <= _ended(calendar, asked) else None
    )
    pair = (now, before)
    label = compare.label(calendar, asked.timeframe, money=True)
    won = now["deals_won"] if now else 0

    def metric(title: str, of: Callable[[Row], float | None], unit: Unit, n: int = won) -> dict[str, Any]:
        value, previous = (None if row is None else of(row) for row in pair)
        comparison = compare.as_json(kpis.compare(value, previous, label), unit)
        return {
            "title": title,
            "value": compare.in_unit(value, unit),
            "unit": unit.value,
            "n": n,
            "comparison": comparison,
            "note": compare.NO_DATA if value is None else None,
        }

    metrics = {
        name: metric(FIGURES[name].title, itemgetter(name), FIGURES[name].unit, _cases(now, name))
        | {"definition": FIGURES[name].definition}
        for name in EARNED
    }
    metrics["average_gross_cents"] = metric("Commission a deal", _average, Unit.CENTS)
    metrics["commission_rate"] = metric("Commission ÷ price", _rate, Unit.RATIO)
    ended = _counts(now)[1] if now else 0
    metrics["close_rate"] = metric("Closed of those that ended", _close_rate, Unit.RATIO, ended) | {
        "interval": compare.share_bounds(*_counts(now)) if now else None
    }
    return metrics


def _ended(calendar: Calendar, asked: RevenueQuestion) -> int:
    """The last day of the time before."""
    days = [calendar.today(office) - spans.DAYS[asked.timeframe] * ONE_DAY for office in calendar.offices]
    return spans.date_key(max(days))


def _cases(row: Row | None, name: str) -> int:
    """How many deals a figure is of: money is of those that closed."""
    return 0 if row is None else max(0, row[name if name in ("deals_lost", "deals_added") else "deals_won"])


def _average(row: Row) -> float | None:
    return row["won_gross_cents"] / row["deals_won"] if row["deals_won"] else None


def _rate(row: Row) -> float | None:
    return row["won_gross_cents"] / row["won_price_cents"] if row["won_price_cents"] else None


def _counts(row: Row) -> tuple[int, int]:
    """Closed, and closed or lost; corrections of the past may take more away than came, and count as none."""
    won = max(0, row["deals_won"])
    return won, won + max(0, row["deals_lost"])


def _close_rate(row: Row) -> float | None:
    won, ended = _counts(row)
    return won / ended if ended else None
