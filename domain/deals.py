"""The odds that a deal closes, by stage, and the pipeline weighted by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from domain import leads, shares

ORDER = (
    leads.Stage.NEW,
    leads.Stage.CONTACTED,
    leads.Stage.QUALIFIED,
    leads.Stage.AGREEMENT,
    leads.Stage.OFFER,
    leads.Stage.CONTRACT,
    leads.Stage.CLOSED,
)
MIN_HISTORY = 30
PRIOR_WEIGHT = 10.0
_DEFAULT: Mapping[leads.Stage, float] = {
    leads.Stage.NEW: 0.01,
    leads.Stage.CONTACTED: 0.025,
    leads.Stage.QUALIFIED: 0.07,
    leads.Stage.AGREEMENT: 0.25,
    leads.Stage.OFFER: 0.50,
    leads.Stage.CONTRACT: 0.85,
    leads.Stage.CLOSED: 1.0,
    leads.Stage.LOST: 0.0,
}
# A listed house that gets an offer cannot be further from closing than before it.
_SELLER: Mapping[leads.Stage, float] = {**_DEFAULT, leads.Stage.AGREEMENT: 0.70, leads.Stage.OFFER: 0.70}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """Own history of one step: how many reached the stage, how many of them went on to the next."""

    reached: int
    advanced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """P(close), whether it is the market default, and how many cases stand behind the thinnest own step."""

    value: float
    is_default: bool
    n: int


History = Mapping[leads.Stage, StepCount]


def odds(
    stage: leads.Stage | str, kind: leads.Kind | str = leads.Kind.BUYER, history: History | None = None
) -> Odds:
    """The product of the remaining step rates; own rates where n ≥ 30 (of the lead's source), else defaults."""
    stage = leads.Stage(stage)
    default = _SELLER if leads.Kind(kind) is leads.Kind.SELLER else _DEFAULT
    if stage in (leads.Stage.CLOSED, leads.Stage.LOST):
        return Odds(value=default[stage], is_default=False, n=0)
    steps = ORDER[ORDER.index(stage) : -1]
    own = {s: count for s, count in (history or {}).items() if s in steps and count.reached >= MIN_HISTORY}
    if not own:
        return Odds(value=default[stage], is_default=True, n=0)
    rates = [_rate(s, default, own.get(s)) for s in steps]
    return Odds(value=prod(rates), is_default=False, n=min(count.reached for count in own.values()))


def _rate(stage: leads.Stage, default: Mapping[leads.Stage, float], own: StepCount | None) -> float:
    """The step rate: the default's, pulled towards the own history (Beta with the weight of ten cases)."""
    prior = default[stage] / default[ORDER[ORDER.index(stage) + 1]]
    if own is None:
        return prior
    return (own.advanced + prior * PRIOR_WEIGHT) / (own.reached + PRIOR_WEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """What the pipeline needs to know of a deal. `history` is that of its source."""

    stage: leads.Stage
    kind: leads.Kind
    gross_cents: int
    company_cents: int
    history: History = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Σ gross commission, Σ P · net company dollars, over n open deals; `defaults` of them by market odds."""

    gross_cents: int
    weighted_cents: int
    n: int
    defaults: int


def pipeline(deals: Iterable[OpenDeal]) -> Pipeline:
    """Closed and lost deals are no longer in the pipe."""
    still = [deal for deal in deals if leads.is_open(deal.stage)]
    chances = [odds(deal.stage, deal.kind, deal.history) for deal in still]
    weighted = sum(chance.value * deal.company_cents for chance, deal in zip(chances, still, strict=True))
    return Pipeline(
        gross_cents=sum(deal.gross_cents for deal in still),
        weighted_cents=round(weighted),
        n=len(still),
        defaults=sum(chance.is_default for chance in chances),
    )


def deal_weighted_cents(deal: OpenDeal) -> int:
    """One deal's own weighted value, for lists."""
    return round(odds(deal.stage, deal.kind, deal.history).value * deal.company_cents)


def weighted_parts(deals: Iterable[OpenDeal]) -> list[int]:
    """Weighted cents of each open deal, summing exactly to the pipeline's figure."""
    still = [deal for deal in deals if leads.is_open(deal.stage)]
    weights = [odds(d.stage, d.kind, d.history).value * d.company_cents for d in still]
    return shares.split(pipeline(still).weighted_cents, weights) if still else []
