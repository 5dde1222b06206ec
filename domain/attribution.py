"""Credit for a deal shared out over its touches, by rule; the credits always sum to the value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain import shares


class Model(StrEnum):
    FIRST = "first"
    LAST = "last"
    LINEAR = "linear"
    TIME_DECAY = "time_decay"
    U_SHAPED = "u_shaped"
    W_SHAPED = "w_shaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """An interaction that may get credit. `created_lead`: this one made the person a lead."""

    channel: str
    days_before: float
    created_lead: bool = False


def weights(model: Model | str, touches: Sequence[Touch], half_life_days: float = 7.0) -> list[float]:
    """Each touch's share of the credit, in the order given (oldest first); the shares sum to 1."""
    count = len(touches)
    if count == 0:
        return []
    rules = {
        Model.FIRST: lambda: _peaks(count, {0: 1.0}, 0.0),
        Model.LAST: lambda: _peaks(count, {count - 1: 1.0}, 0.0),
        Model.LINEAR: lambda: [1.0] * count,
        Model.TIME_DECAY: lambda: _decay(touches, half_life_days),
        Model.U_SHAPED: lambda: _peaks(count, {0: 0.4, count - 1: 0.4}, 0.2),
        Model.W_SHAPED: lambda: _peaks(count, {0: 0.3, _created(touches): 0.3, count - 1: 0.3}, 0.1),
    }
    raw = rules[Model(model)]()
    total = sum(raw)
    return [value / total for value in raw]


def _peaks(count: int, peaks: dict[int, float], rest: float) -> list[float]:
    """Fixed shares at some places, the rest shared by the others (or dropped where there is none)."""
    others = count - len(peaks)
    each = rest / others if others else 0.0
    return [peaks.get(i, each) for i in range(count)]


def _decay(touches: Sequence[Touch], half_life_days: float) -> list[float]:
    """w = 2^(−d / h), counted from the newest touch so that very old paths do not vanish."""
    newest = min(touch.days_before for touch in touches)
    return [2.0 ** (-(touch.days_before - newest) / half_life_days) for touch in touches]


def _created(touches: Sequence[Touch]) -> int:
    """The place of the touch that created the lead; unknown = the middle."""
    marked = (i for i, touch in enumerate(touches) if touch.created_lead)
    return next(marked, len(touches) // 2)


def credits_cents(
    model: Model | str, touches: Sequence[Touch], value_cents: int, half_life_days: float = 7.0
) -> list[int]:
    """Whole cents for each touch, in the order given, summing to the value."""
    return shares.split(value_cents, weights(model, touches, half_life_days)) if touches else []


def by_channel(
    model: Model | str, touches: Sequence[Touch], value_cents: int, half_life_days: float = 7.0
) -> dict[str, int]:
    """Whole cents for each channel, summing to the value."""
    totals: dict[str, int] = defaultdict(int)
    cents = credits_cents(model, touches, value_cents, half_life_days)
    for touch, part in zip(touches, cents, strict=True):
        totals[touch.channel] += part
    return dict(totals)
