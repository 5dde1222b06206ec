"""Asks for figures to be kept fresh while somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Unfollow = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """`start(location_id, timeframe)` keeps those tiles fresh in the store until what it answers is called."""

    start: Callable[[str, str], Unfollow]
