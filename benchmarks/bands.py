"""The forecast's bands, held to what came: `python -m benchmarks.bands`. Coverage (80 and 95 % are wanted), width, WAPE.

Walked forward: at each of some past weeks the forecast sees only the weeks before it, and its next 30 and 90 days are compared with
what came. Series: a brokerage's share (a few deals a week, by chance) of the real sales of Texan cities, 2000 to 2012, so that season,
boom and crash are real; the same where the first half-year of history was a ramp from nothing; and sales of ZIP codes of King
County. Width is that of the whole band ÷ the size of the business (the mean of the last half-year); 95 % bands only where there are
enough errors to draw one. Neighbouring cities share their fate, so coverage is known to some 4 % only.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from backend.services.bi import forecast
from backend.services.bi.backtest import LEVELS, History
from backend.services.bi.baselines import Floats
from backend.services.bi.material import Material
from backend.services.bi.pipe import Pipe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEXAS = DATA / "txhousing" / "txhousing_until_2012.csv"
KING = DATA / "kc_house" / "kc_house_until_2015-03-10.csv"
COMMISSION_CENTS = 3
"""A dollar of price is three cents of commission."""
SPREAD = 0.4
A_CITY = 6
HORIZONS = (30, 90)
_NO_PIPE = Pipe(stays=(), closings=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Revenue (cents) and deals by week."""

    cents: Floats
    deals: Floats


@dataclass(slots=True, kw_only=True)
class Score:
    """Of the forecasts of one kind of series."""

    missed: float = 0.0
    came: float = 0.0
    hits: dict[float, list[bool]] = field(default_factory=lambda: {level: [] for level in LEVELS})
    widths: dict[float, list[float]] = field(default_factory=lambda: {level: [] for level in LEVELS})

    def line(self) -> str:
        n = len(self.hits[LEVELS[0]])
        told = f"{n:4}  WAPE {self.missed / max(self.came, 1.0):4.0%}"
        for level in LEVELS:
            if hits := self.hits[level]:
                told += f"   {level:.0%}: {np.mean(hits):4.0%} held, {np.mean(self.widths[level]):4.2f} wide"
        return told


def texas(a_week: float) -> list[Series]:
    """A share of each city's sales that makes so many deals a week."""
    months: dict[str, list[tuple[date, float, float]]] = defaultdict(list)
    with TEXAS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["sales"] not in {"", "NA"} and row["volume"] not in {"", "NA"}:
                begin = date(int(row["year"]), int(row["month"]), 1)
                months[row["city"]].append((begin, float(row["sales"]), float(row["volume"])))
    unbroken = [rows for rows in months.values() if len(rows) == 12 * rows[-1][0].year - 12 * 2000 + 12]
    return [_share(rows, a_week, np.random.default_rng(n)) for n, rows in enumerate(unbroken)]


def _share(rows: Sequence[tuple[date, float, float]], a_week: float, rng: np.random.Generator) -> Series:
    share = a_week * 52 / 12 / float(np.mean([sales for _, sales, _ in rows]))
    first = rows[0][0]
    count = (rows[-1][0] - first).days // 7
    cents, deals = np.zeros(count), np.zeros(count)
    for begin, sales, volume in rows[:-1]:
        length = ((begin + timedelta(days=32)).replace(day=1) - begin).days
        n = rng.poisson(sales * share)
        weeks = ((begin - first).days + rng.integers(0, length, n)) // 7
        prices = volume / max(sales, 1.0) * rng.lognormal(-(SPREAD**2) / 2, SPREAD, n)
        kept = weeks < count
        np.add.at(cents, weeks[kept], COMMISSION_CENTS * prices[kept])
        np.add.at(deals, weeks[kept], 1)
    return Series(cents=cents, deals=deals)


def king() -> list[Series]:
    """ZIP codes of King County, one sale in five."""
    first, rng = date(2014, 5, 2), np.random.default_rng(1)
    cents: dict[str, Floats] = defaultdict(lambda: np.zeros(44))
    deals: dict[str, Floats] = defaultdict(lambda: np.zeros(44))
    with KING.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            week = (date.fromisoformat(row["date"][:8]) - first).days // 7
            if rng.random() < 0.2 and week < 44:
                cents[row["zipcode"]][week] += COMMISSION_CENTS * float(row["price"])
                deals[row["zipcode"]][week] += 1
    return [Series(cents=cents[code], deals=deals[code]) for code in cents if deals[code].sum() >= 30]


def ramped(series: Series, rng: np.random.Generator) -> Series:
    """As if the business had begun here, and taken half a year to what it is."""
    grown = np.minimum(1.0, (np.arange(len(series.deals)) + 0.5) / 26)
    kept = rng.binomial(series.deals.astype(int), grown).astype(float)
    mean = series.cents / np.maximum(series.deals, 1.0)
    return Series(cents=mean * kept, deals=kept)


def walked(
    every: Sequence[Series], history: int, ahead: int, *, ramp: bool = False
) -> Iterator[tuple[Series, Floats]]:
    """What was known, and what came then."""
    rng = np.random.default_rng(5)
    for series in every:
        last = len(series.cents) - ahead
        for known in sorted(rng.integers(history, last, A_CITY)) if last > history else ():
            part = slice(known - history, known)
            before = Series(cents=series.cents[part], deals=series.deals[part])
            yield (ramped(before, rng) if ramp else before), series.cents[known : known + ahead]


def scored(tries: Iterator[tuple[Series, Floats]], days: int) -> Score:
    score = Score()
    for before, came in tries:
        material = Material(
            history=History(weeks=before.cents, until=date(2026, 1, 1), pipe=_NO_PIPE),
            days=7 * len(before.cents),
            deals_won=int(before.deals.sum()),
            price_spread=SPREAD,
        )
        total = forecast.told(material, days)["total"]
        if total["value"] is None:
            continue
        parts = np.minimum(1.0, (days - 7 * np.arange(len(came))) / 7)
        truth, size = float((came * parts).sum()), float(before.cents[-26:].mean() * days / 7)
        score.missed, score.came = score.missed + abs(total["value"] - truth), score.came + truth
        for level in LEVELS:
            low, high = total[f"low_{level * 100:.0f}"], total[f"high_{level * 100:.0f}"]
            if low is not None and size:
                score.hits[level].append(low <= truth <= high)
                score.widths[level].append((high - low) / size)
    return score


def main() -> None:
    if not (TEXAS.exists() and KING.exists()):
        print(f"no real sales at {DATA}: nothing to hold the bands to")
        return
    small, large, zips = texas(2.0), texas(8.0), king()
    cases = [
        ("2 deals a week, first year, ramped", small, 52, True),
        ("8 deals a week, first year, ramped", large, 52, True),
        ("2 deals a week, one year known", small, 52, False),
        ("2 deals a week, two years", small, 104, False),
        ("8 deals a week, two years", large, 104, False),
        ("8 deals a week, five years", large, 260, False),
        ("ZIPs of King County, 30 weeks", zips, 30, False),
    ]
    for days in HORIZONS:
        ahead = -(-days // 7)
        for name, every, history, ramp in cases:
            print(f"{days} days  {name:<36}{scored(walked(every, history, ahead, ramp=ramp), days).line()}")


if __name__ == "__main__":
    main()
