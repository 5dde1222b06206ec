"""Widen until there are enough comparable sales, adjust each to the subject, and weigh them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain import geo
from domain.comps import regression, values

MIN_COMPS = 5
BEST_COMPS = 12
LIKE_SIZE, LIKE_GRADE = 1.4, 1.0
LOCAL_SALES = 150
LOCAL_MILES, LOCAL_MONTHS = 5.0, 12.0
NOTICE = "Estimate, not an appraisal."


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far around and how far back."""

    miles: float
    months: float


STEPS = tuple(
    Step(miles=miles, months=months) for miles, months in ((1, 12), (2, 12), (3, 12), (5, 18), (10, 24))
)


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comp:
    """A sale beside the subject: price, market change since, each adjustment in cents, value and weight."""

    sale: values.Sale
    miles: float
    months: float
    time_cents: int
    adjustments: tuple[tuple[str, int], ...]
    value_cents: int
    weight: float

    @property
    def gross_adjustment(self) -> float:
        """The sum of all adjustments regardless of sign, as a part of the price."""
        return sum(abs(cents) for _, cents in self.adjustments) / self.sale.price_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its range, or the reason why there is none; always with the sales behind it."""

    value_cents: int | None
    low_cents: int | None
    high_cents: int | None
    comps: tuple[Comp, ...]
    n: int
    effective_n: float
    step: Step
    widened: bool
    confidence: Confidence | None
    as_of: date
    basis: str
    monthly_change: float
    refusal: str = ""

    def text(self) -> str:
        """What was looked at, in words."""
        looked = f"{self.n} sales within {self.step.miles:g} mi and {self.step.months:g} months"
        wider = ", widened until there were enough" if self.widened else ""
        return f"{looked}{wider}, as of {self.as_of:%d %b %Y}. {self.refusal or NOTICE}"


def estimate(
    subject: values.House, sales: Iterable[values.Sale], as_of: date, *, steps: Sequence[Step] = STEPS
) -> Estimate:
    """The value as of a day, from sales closed before it; refused with fewer than five comps."""
    widest = max(max(step.miles for step in steps), LOCAL_MILES)
    oldest = max(max(step.months for step in steps), LOCAL_MONTHS)
    near = _near(subject, sales, as_of, widest, oldest)
    step, chosen = _widen([item for item in near if _comparable(subject, item[2])], steps)
    local = regression.fit(_local(near), subject, as_of)
    comps = sorted((_comp(subject, item, local) for item in chosen), key=lambda comp: -comp.weight)[
        :BEST_COMPS
    ]
    return _weighed(comps, len(chosen), step=step, widened=step != steps[0], local=local, as_of=as_of)


Near = tuple[float, float, values.Sale]


def _near(
    subject: values.House, sales: Iterable[values.Sale], as_of: date, miles: float, months: float
) -> list[Near]:
    """(miles, months, sale) of what is near in place and time, nearest first."""
    south, north, west, east = geo.around(subject.lat, subject.lon, miles * geo.KM_PER_MILE)
    found = []
    for sale in sales:
        if not (south <= sale.lat <= north and west <= sale.lon <= east and sale.price_cents > 0):
            continue
        age = values.months_between(sale.sold_on, as_of)
        if 0 < age <= months:
            found.append((geo.miles(subject.lat, subject.lon, sale.lat, sale.lon), age, sale))
    return sorted((item for item in found if item[0] <= miles), key=lambda item: item[0])


def _comparable(subject: values.House, sale: values.Sale) -> bool:
    """Of a like size and class, as far as both are known."""
    if subject.sqft and sale.sqft and not 1 / LIKE_SIZE <= sale.sqft / subject.sqft <= LIKE_SIZE:
        return False
    return subject.grade is None or sale.grade is None or abs(sale.grade - subject.grade) <= LIKE_GRADE


def _widen(near: Sequence[Near], steps: Sequence[Step]) -> tuple[Step, list[Near]]:
    for step in steps:
        chosen = [item for item in near if item[0] <= step.miles and item[1] <= step.months]
        if len(chosen) >= MIN_COMPS:
            return step, chosen
    return steps[-1], chosen


def _local(near: Sequence[Near]) -> list[values.Sale]:
    local = [sale for miles, months, sale in near if miles <= LOCAL_MILES and months <= LOCAL_MONTHS]
    return local[:LOCAL_SALES]


def _comp(subject: values.House, item: Near, local: regression.Local) -> Comp:
    miles, months, sale = item
    price = sale.price_cents
    then = price * (1 + local.monthly) ** months
    adjustments = _adjustments(subject, sale, then, local)
    gross = sum(abs(cents) for _, cents in adjustments) / price * 100
    return Comp(
        sale=sale,
        miles=miles,
        months=months,
        time_cents=round(then) - price,
        adjustments=adjustments,
        value_cents=round(then) + sum(cents for _, cents in adjustments),
        weight=math.exp(-miles / 0.5 - months / 6 - gross / 15),
    )


def _adjustments(
    subject: values.House, sale: values.Sale, price: float, local: regression.Local
) -> tuple[tuple[str, int], ...]:
    """The comp is adjusted to the subject: where it is inferior, value is added."""
    found = []
    for name in values.ATTRIBUTES:
        wanted, had = getattr(subject, name), getattr(sale, name)
        if wanted is None or had is None or wanted == had:
            continue
        if local.weights:
            cents = round(price * local.change(name, wanted, had))
        elif name == "sqft" and local.price_per_sqft is not None:
            cents = round((wanted - had) * local.price_per_sqft)
        else:
            continue
        if cents:
            found.append((name, cents))
    return tuple(found)


def _weighed(
    comps: Sequence[Comp], n: int, *, step: Step, widened: bool, local: regression.Local, as_of: date
) -> Estimate:
    total = sum(comp.weight for comp in comps)
    effective = total**2 / sum(comp.weight**2 for comp in comps) if total else 0.0
    enough = n >= MIN_COMPS and total > 0
    value = round(sum(comp.weight * comp.value_cents for comp in comps) / total) if enough else None
    low, high = _range(comps, value, local.spread)
    return Estimate(
        value_cents=value,
        low_cents=low,
        high_cents=high,
        comps=tuple(comps),
        n=n,
        effective_n=effective,
        step=step,
        widened=widened,
        confidence=_confidence(comps, effective, value, low, high),
        as_of=as_of,
        basis=f"local regression on {local.n} sales" if local.weights else "dollars per square foot",
        monthly_change=local.monthly,
        refusal="" if enough else f"No estimate: {n} comparable sales, at least {MIN_COMPS} are needed.",
    )


def _range(comps: Sequence[Comp], value: int | None, spread: float) -> tuple[int | None, int | None]:
    """Weighted P10-P90 of the comps; never narrower than four of five local sales lie around their own fit."""
    if value is None:
        return None, None
    low, high = _quantile(comps, 0.10), _quantile(comps, 0.90)
    return min(low, round(value * math.exp(-spread))), max(high, round(value * math.exp(spread)))


def _quantile(comps: Sequence[Comp], q: float) -> int:
    """The weighted quantile: the value at which the weights below reach q."""
    ordered = sorted(comps, key=lambda comp: comp.value_cents)
    total = sum(comp.weight for comp in ordered)
    reached = 0.0
    for comp in ordered:
        reached += comp.weight
        if reached >= q * total:
            return comp.value_cents
    return ordered[-1].value_cents


def _confidence(
    comps: Sequence[Comp], effective: float, value: int | None, low: int | None, high: int | None
) -> Confidence | None:
    """From the effective number, the spread of the range, and the weighted age."""
    if not value or low is None or high is None:
        return None
    spread = (high - low) / value
    age = sum(comp.weight * comp.months for comp in comps) / sum(comp.weight for comp in comps)
    if effective >= 5 and spread <= 0.25 and age <= 6:
        return Confidence.HIGH
    if effective >= 3 and spread <= 0.45 and age <= 12:
        return Confidence.MEDIUM
    return Confidence.LOW
