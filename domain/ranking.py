"""Whom to see next: one rank of 100 points, and three bars that say exactly where the missing ones went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from domain import shares

WEIGHTS = {"score": 0.45, "urgency": 0.30, "distance": 0.25}
LABELS = {"score": "Score", "urgency": "Urgency", "distance": "Distance"}
FLOOR = 0.05
DETOUR = 1.3
LOCAL_SPEED_KMH = 40.0
CALM = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One why-bar: the factor (.05 to 1) and the points it cost, exact and in whole tenths."""

    name: str
    label: str
    factor: float
    lost: float
    lost_tenths: int

    @property
    def shown(self) -> float:
        """Points lost, to one decimal: the three shown bars sum to 100 − the shown rank."""
        return self.lost_tenths / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """0 to 100 with its three bars; the bars' losses sum to 100 − value."""

    value: float
    bars: tuple[Bar, Bar, Bar]

    @property
    def shown(self) -> float:
        return round(self.value * 10) / 10


def drive_minutes(km: float, speed_kmh: float = LOCAL_SPEED_KMH) -> float:
    """Offline drive time: great-circle distance × 1.3 at the local speed. Show it with "≈"."""
    if speed_kmh <= 0:
        raise ValueError("speed must be above 0 km/h")
    return max(0.0, km) * DETOUR / speed_kmh * 60


def nearness(minutes: float) -> float:
    """P = e^(−drive minutes / 12)."""
    return math.exp(-max(0.0, minutes) / 12)


def points(score: float, urgency: float, minutes: float) -> float:
    """`rank(…).value` alone, for sorting thousands."""
    return 100 * math.exp(-sum(_costs(_factors(score, urgency, minutes)).values()))


def _factors(score: float, urgency: float, minutes: float) -> dict[str, float]:
    raw = {"score": score / 100, "urgency": urgency, "distance": nearness(minutes)}
    return {name: min(max(value, FLOOR), 1.0) for name, value in raw.items()}


def _costs(factors: dict[str, float]) -> dict[str, float]:
    return {name: -WEIGHTS[name] * math.log(value) for name, value in factors.items()}


def rank(score: float, urgency: float, minutes: float) -> Rank:
    """R = 100 · S^.45 · U^.30 · P^.25 for a score 0-100, an urgency 0-1 and a drive in minutes."""
    factors = _factors(score, urgency, minutes)
    costs = _costs(factors)
    value = 100 * math.exp(-sum(costs.values()))
    tenths = shares.split(1000 - round(value * 10), list(costs.values()))
    total = sum(costs.values())
    bars = tuple(
        Bar(
            name=name,
            label=LABELS[name],
            factor=factors[name],
            lost=(100 - value) * cost / total if total else 0.0,
            lost_tenths=tenth,
        )
        for (name, cost), tenth in zip(costs.items(), tenths, strict=True)
    )
    return Rank(value=value, bars=(bars[0], bars[1], bars[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """0 to 1, and why: the strongest signal first."""

    value: float
    reasons: tuple[str, ...]


def urgency(
    now: datetime,
    *,
    answer_due_at: datetime | None = None,
    task_due_at: datetime | None = None,
    appointment_at: datetime | None = None,
    contract_deadline_at: datetime | None = None,
    window_minutes_left: float | None = None,
) -> Urgency:
    """The strongest of the clocks; what is due soon presses more while the legal window closes.

    `window_minutes_left`: 0 = calls and texts are closed now, None = not known.
    """
    fixed = [_appointment(now, appointment_at), _deadline(now, contract_deadline_at)]
    calls = [_answer(now, answer_due_at), _task(now, task_due_at)]
    found = [item for item in calls if item is not None]
    if found and window_minutes_left is not None:
        found = [_squeezed(item, window_minutes_left) for item in found]
    found += [item for item in fixed if item is not None]
    found.sort(key=lambda item: -item[0])
    if not found:
        return Urgency(value=CALM, reasons=("nothing due",))
    return Urgency(value=found[0][0], reasons=tuple(reason for _, reason in found))


Signal = tuple[float, str]


def _hours(now: datetime, moment: datetime) -> float:
    return (moment - now).total_seconds() / 3600


def _answer(now: datetime, due: datetime | None) -> Signal | None:
    """The answer clock: full when it has run out, .4 with a day to go."""
    if due is None:
        return None
    left = _hours(now, due)
    if left <= 0:
        return 1.0, f"answer overdue by {_span(-left)}"
    return max(0.4, 1 - 0.6 * left / 24), f"answer due in {_span(left)}"


def _task(now: datetime, due: datetime | None) -> Signal | None:
    if due is None:
        return None
    left = _hours(now, due)
    if left <= 0:
        return min(1.0, 0.75 + 0.05 * -left / 24), f"task overdue by {_span(-left)}"
    return max(CALM, 0.7 * math.exp(-left / 48)), f"task due in {_span(left)}"


def _appointment(now: datetime, at: datetime | None) -> Signal | None:
    """An appointment presses as it comes near; half an hour after its start it is past."""
    if at is None or _hours(now, at) < -0.5:
        return None
    left = max(0.0, _hours(now, at))
    return max(CALM, math.exp(-left / 12)), f"appointment in {_span(left)}"


def _deadline(now: datetime, at: datetime | None) -> Signal | None:
    if at is None:
        return None
    left = _hours(now, at)
    if left <= 0:
        return 1.0, f"contract deadline missed by {_span(-left)}"
    return max(CALM, math.exp(-left / 72)), f"contract deadline in {_span(left)}"


def _squeezed(signal: Signal, minutes_left: float) -> Signal:
    """Halved while the window is closed; up to half of what is missing added in its last two hours."""
    value, reason = signal
    if minutes_left <= 0:
        return value / 2, f"{reason}, contact window closed"
    if minutes_left < 120:
        return value + (1 - value) * 0.5 * (1 - minutes_left / 120), (
            f"{reason}, window closes in {_span(minutes_left / 60)}"
        )
    return signal


def _span(hours: float) -> str:
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{round(hours)} h" if hours < 48 else f"{round(hours / 24)} days"
