"""What people type for money and time, as the service takes it."""

from __future__ import annotations

import re

from domain import errors

_MONEY = re.compile(r"\$?\s*(\d[\d,]*(?:\.\d+)?)\s*([kKmM]?)\Z")
_DAYS = re.compile(r"(\d+)\s*(d|days?|w|weeks?|m|months?|)\Z", re.IGNORECASE)
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_SPANS = {"d": 1, "w": 7, "m": 30}


def cents(text: str) -> int | None:
    """`640k`, `$640,000`, `0.64m` → cents; empty = unknown. Raises: InputError."""
    typed = text.strip()
    if not typed:
        return None
    found = _MONEY.match(typed)
    if found is None:
        raise errors.InputError(
            "This is no price.", where="leads.price_cents", hint="Type it as 640000, $640,000 or 640k."
        )
    return round(float(found[1].replace(",", "")) * _TIMES[found[2].lower()] * 100)


def days(text: str) -> int | None:
    """`45`, `6 weeks`, `2 months` → days; empty = unknown. Raises: InputError."""
    typed = text.strip()
    if not typed:
        return None
    found = _DAYS.match(typed)
    if found is None:
        raise errors.InputError(
            "This is no stretch of time.",
            where="leads.timeline_days",
            hint="Type it as 45, 6 weeks or 2 months.",
        )
    return int(found[1]) * _SPANS.get(found[2][:1].lower(), 1)
