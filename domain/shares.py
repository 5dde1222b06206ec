"""Whole units (cents, tenths of a point) split by weights, so that the parts always sum to the total."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def split(total: int, weights: Sequence[float | Fraction]) -> list[int]:
    """Largest remainder; ties go to the earlier part. No weight at all = nothing to give but to the first.

    Raises: ValueError for a negative weight or an empty list.
    """
    exact = [Fraction(weight) for weight in weights]
    if not exact or min(exact) < 0:
        raise ValueError("weights must be given, and none may be negative")
    whole = sum(exact)
    if whole == 0:
        return [total, *(0 for _ in exact[1:])]
    if total < 0:
        return [-part for part in split(-total, exact)]
    quotas = [total * weight / whole for weight in exact]
    parts = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(exact)), key=lambda i: (parts[i] - quotas[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
