"""Revenue to come: the best of seven plain models by its own back-test, with bands drawn from its own past errors.

Made from complete days at the office only. Each forecast that the job makes is stored as it was said; `forecast_accuracy`
holds those whose days are over against what came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from backend.services.bi import backtest, baselines, compare, question, spans
from backend.services.bi.backtest import LEVELS, Track
from backend.services.bi.material import Material, gather
from backend.services.bi.pipe import WEEK
from backend.storage.warehouse import forecasts as store
from backend.storage.warehouse.forecasts import REVENUE, Scored
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import Scope
from domain import errors, kpis

if TYPE_CHECKING:
    from backend.deps import Deps

SHORTEST, LONGEST = 30, 365
LEAST_DEALS = 10
METHOD = (
    "the best of naive, seasonal naive, recent mean, year mean, half season, pipe and corrected pipe by WAPE over rolling origins; "
    "bands are split-conformal from those errors, scaled by the root of the revenue, never narrower than luck"
)


async def revenue_forecast(
    deps: Deps, scope: Scope, *, days: int, offices: Sequence[Office] = ()
) -> dict[str, Any]:
    """Of the next `days` after the last complete day (30-365), as a total and week by week.

    `value` None and a note where the history is too short. Raises: InputError for other days, TooMuchError.
    """
    if not SHORTEST <= days <= LONGEST:
        raise errors.InputError(
            f"{days} days can't be asked for.",
            where="forecast_days",
            hint=f"Ask for {SHORTEST} to {LONGEST} days.",
        )
    until = spans.last_complete(offices, deps.clock.now())
    async with question.opened(deps, scope) as connection:
        material = await gather(connection, scope.places, scope.keys, until)
    return await asyncio.to_thread(told, material, days)


def told(material: Material, days: int) -> dict[str, Any]:
    """The forecast as an answer; numbers only where the history holds them."""
    made = _made(material, days)
    if isinstance(made, str):
        return _answer(material, days, None) | {"note": f"not enough data: {made}"}
    return _answer(material, days, made)


def _made(material: Material, days: int) -> _Forecast | str:
    """The forecast, or what the history lacks."""
    ahead = -(-days // WEEK)
    if short := _missing(material, ahead):
        return short
    tracks = backtest.tried(material.history, ahead, material.deal)
    if not tracks or not tracks[0].trials:
        return "no model could be tried"
    return _Forecast(material=material, tracks=tuple(tracks), days=days, ahead=ahead)


def _missing(material: Material, ahead: int) -> str:
    weeks, needed = len(material.history.weeks), backtest.least_weeks(ahead)
    if material.deals_won < LEAST_DEALS:
        return f"{material.deals_won} closed deals of {LEAST_DEALS}"
    if weeks < needed:
        possible = (weeks - backtest.least_weeks(0)) * WEEK
        then = f"; {possible} days can be forecast" if possible >= SHORTEST else ""
        return f"{weeks} whole weeks of {needed}{then}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forecast:
    material: Material
    tracks: tuple[Track, ...]
    days: int
    ahead: int

    @property
    def best(self) -> Track:
        return self.tracks[0]

    @property
    def level(self) -> float:
        return self.material.history.level(len(self.material.history.weeks))

    def weeks(self) -> baselines.Floats:
        return self.best.now(self.material.history, self.ahead)

    def total(self) -> dict[str, int | None]:
        value = sum(float(cents) * self._part(week) for week, cents in enumerate(self.weeks()))
        return _banded(
            value, {level: self.best.half_width(level, now=self.level, said=value) for level in LEVELS}
        )

    def course(self) -> list[dict[str, Any]]:
        """Week by week; `to` is the last day. The last week may be a part of one."""
        begin = self.material.history.until + spans.ONE_DAY
        return [
            {
                "from": (begin + timedelta(weeks=week)).isoformat(),
                "to": (begin + timedelta(days=min(WEEK * (week + 1), self.days) - 1)).isoformat(),
                **_banded(
                    float(cents) * self._part(week),
                    {level: self._half_of_week(week, float(cents), level) for level in LEVELS},
                ),
            }
            for week, cents in enumerate(self.weeks())
        ]

    def _half_of_week(self, week: int, cents: float, level: float) -> float | None:
        half = self.best.week_half_width(week, level, now=self.level, said=cents)
        return None if half is None else half * self._part(week)

    def _part(self, week: int) -> float:
        """How much of a week of the forecast is asked for."""
        return min(1.0, (self.days - WEEK * week) / WEEK)

    def backtest(self) -> dict[str, Any]:
        n = len(self.best.trials)
        return {
            "wape": self.best.wape(),
            "n": n,
            "independent_n": -(-n // self.ahead),
            "weeks_ahead": self.ahead,
            "candidates": [{"model": t.model, "wape": t.wape(), "n": len(t.trials)} for t in self.tracks],
            **{f"coverage_{level:.0%}".rstrip("%"): _share(*self.best.covered(level)) for level in LEVELS},
            "note": "Past weeks overlap: n of them hold independent_n that do not. The model was chosen on the same weeks.",
        }

    def warning(self) -> str | None:
        """Where it is worth no more than to say that there will be nothing."""
        wape = self.best.wape()
        if wape is not None and wape < 1:
            return None
        return "of little use: such forecasts erred by more than the revenue itself"

    def luck_floor(self) -> float | None:
        """The relative error that luck alone brings to such a total."""
        material = self.material
        expected = material.deals_won / max(material.days, 1) * self.days
        return baselines.luck_floor(expected, material.price_spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """Revenue of the `ahead` weeks to come, and by how much such forecasts were off before, in cents of today."""

    model: str
    ahead: int
    value: float
    errors: tuple[float, ...]
    wape: float | None


def prospect(material: Material, days: int) -> Prospect | str:
    """Of the whole weeks that hold these days; or what the history lacks."""
    found = _made(material, days)
    if isinstance(found, str):
        return found
    return Prospect(
        model=found.best.model,
        ahead=found.ahead,
        value=float(found.weeks().sum()),
        errors=tuple(found.best.errors(found.level)),
        wape=found.best.wape(),
    )


def _answer(material: Material, days: int, forecast: _Forecast | None) -> dict[str, Any]:
    until = material.history.until
    return {
        "metric": REVENUE,
        "unit": kpis.Unit.CENTS.value,
        "days": days,
        "data_until": until.isoformat(),
        "until": (until + timedelta(days=days)).isoformat(),
        "n": material.deals_won,
        "history_days": material.days,
        "model": forecast.best.model if forecast else None,
        "method": METHOD,
        "total": forecast.total() if forecast else _banded(None, {}),
        "weeks": forecast.course() if forecast else [],
        "backtest": forecast.backtest() if forecast else None,
        "luck_floor_wape": forecast.luck_floor() if forecast else None,
        "note": forecast.warning() if forecast else None,
    }


def _banded(value: float | None, halves: Mapping[float, float | None]) -> dict[str, int | None]:
    """The value between its bands; revenue is never below nothing."""
    found: dict[str, int | None] = {"value": None if value is None else round(value)}
    for level in LEVELS:
        half = halves.get(level)
        known = value is not None and half is not None
        found[f"low_{level * 100:.0f}"] = max(0, round((value or 0) - (half or 0))) if known else None
        found[f"high_{level * 100:.0f}"] = round((value or 0) + (half or 0)) if known else None
    return found


def _share(hits: int, n: int) -> dict[str, Any]:
    return {
        "value": hits / n if n else None,
        "n": n,
        "interval": compare.share_bounds(hits, n),
        "note": None if n else "not enough data: no band could have been drawn in the past",
    }


async def forecast_accuracy(deps: Deps, scope: Scope, *, offices: Sequence[Office] = ()) -> dict[str, Any]:
    """How the forecasts that were made turned out, by days ahead: WAPE and coverage of the bands, with n."""
    until = spans.last_complete(offices, deps.clock.now())
    async with question.opened(deps, scope) as connection:
        scored = await store.scored(connection, scope.places, until)
        waiting, first = await store.next_due(connection, scope.places, until)
    by_days: dict[int, list[Scored]] = {}
    for one in scored:
        by_days.setdefault(one.days, []).append(one)
    due = f"; the first can be scored on {first.isoformat()}" if first else ""
    return {
        "metric": REVENUE,
        "n": len(scored),
        "waiting": waiting,
        "horizons": [{"days": days, **_turned_out(found)} for days, found in sorted(by_days.items())],
        "method": "stored forecasts against what their days brought, office by office or the whole",
        "note": None if scored else f"no forecast has come due yet{due}",
    }


def _turned_out(found: Sequence[Scored]) -> dict[str, Any]:
    banded_80 = [one for one in found if one.low_80 is not None and one.high_80 is not None]
    banded_95 = [one for one in found if one.low_95 is not None and one.high_95 is not None]
    return {
        "n": len(found),
        "wape": baselines.wape(
            [float(one.actual_cents) for one in found], [float(one.value_cents) for one in found]
        ),
        "coverage_80": _share(
            sum((o.low_80 or 0) <= o.actual_cents <= (o.high_80 or 0) for o in banded_80), len(banded_80)
        ),
        "coverage_95": _share(
            sum((o.low_95 or 0) <= o.actual_cents <= (o.high_95 or 0) for o in banded_95), len(banded_95)
        ),
    }
