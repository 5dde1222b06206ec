"""Plain stored values read as facts: numbers, moments, and the words of motivation, condition, financing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

# Reasons to sell that bring a date with them count as high, those of choice as mixed, curiosity as low.
MOTIVATION: Mapping[str, float] = {
    "low": 0.0,
    "curious": 0.0,
    "mixed": 0.5,
    "downsizing": 0.5,
    "upsizing": 0.5,
    "cash out": 0.5,
    "retirement": 0.5,
    "high": 1.0,
    "divorce": 1.0,
    "foreclosure": 1.0,
    "relocation": 1.0,
    "probate": 1.0,
    "inheritance": 1.0,
    "financial distress": 1.0,
    "two mortgages": 1.0,
    "tired landlord": 1.0,
    "code violations": 1.0,
}
CONDITION: Mapping[str, float] = {
    "excellent": 1.0,
    "good": 1.0,
    "average": 0.75,
    "needs work": 0.5,
    "poor": 0.25,
}
FINANCING: Mapping[str, float] = {
    "cash": 1.0,
    "pre-approved": 0.9,
    "pre-qualified": 0.5,
    "talking": 0.3,
    "none": 0.0,
}


def _looked_up(table: Mapping[str, float], word: str | None) -> float | None:
    key = " ".join((word or "").lower().replace("_", " ").split())
    return table.get(key, table.get(key.replace(" ", "-")))


def motivation(word: str | None) -> float | None:
    """0 low, .5 mixed, 1 high; None for a reason the table does not know."""
    return _looked_up(MOTIVATION, word)


def condition(word: str | None) -> float | None:
    """How ready the house is to sell; None = unknown."""
    return _looked_up(CONDITION, word)


def financing(word: str | None) -> float | None:
    """How ready the money is; None = unknown."""
    return _looked_up(FINANCING, word)


def text(value: object) -> str | None:
    """Text without blanks around it; None where nothing is left."""
    return (str(value).strip() or None) if value is not None else None


def number(value: object) -> float | None:
    """A finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except ValueError:
        return None
    return result if math.isfinite(result) else None


def whole(value: object) -> int | None:
    """A whole number, also from text; None for anything else."""
    result = number(value)
    return None if result is None else int(result)


def moment(value: object) -> datetime | None:
    """An aware moment from a datetime, ISO text or Unix milliseconds; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            return moment(datetime.fromisoformat(value.replace("Z", "+00:00")))
        except ValueError:
            return None
    stamp = number(value)
    return None if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC)
