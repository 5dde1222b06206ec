"""The figures of issue 3 beside its targets, and a peer's beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `target`: the most it may be; None = no target was set. `peer`: the same of another product."""

    what: str
    value: float
    unit: str
    target: float | None = None
    peer: float | None = None

    @property
    def over(self) -> bool:
        return self.target is not None and self.value > self.target

    def line(self, *, with_peer: bool) -> str:
        aim = "" if self.target is None else f"≤ {number(self.target)}"
        ratio = f"{self.value / self.target:5.2f} ×" if self.target else ""
        verdict = "" if self.target is None else "OVER" if self.over else "ok"
        shown = f"{self.what:<52}{number(self.value):>10} {self.unit:<9}{aim:>9} {ratio:>8} {verdict:<5}"
        if with_peer and self.peer is not None:
            shown += f"{number(self.peer):>11}  {self.peer / self.value if self.value else 0:7.1f} ×"
        return shown.rstrip()


def number(value: float) -> str:
    """Three digits that matter."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(figures: Sequence[Figure], *, peer: str = "") -> None:
    """The table; `peer` names the last columns."""
    head = f"{'':<52}{'measured':>10} {'':<9}{'target':>9} {'ratio':>8}"
    print(head + (f"      {peer:>11}" if peer else ""))
    for figure in figures:
        print(figure.line(with_peer=bool(peer)))
    asked = [figure for figure in figures if figure.target is not None]
    print(f"{sum(not figure.over for figure in asked)} of {len(asked)} targets reached")
