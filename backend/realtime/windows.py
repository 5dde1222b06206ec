"""The sliding windows as this process heard them last: what the channel `analytics` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One location's window. A higher `rev` replaces a lower one; `values` by measure or figure, `bots` the same by bot."""

    rev: int
    values: Mapping[str, float | None]
    bots: Mapping[str, Mapping[str, float | None]]


@dataclass(slots=True)
class Windows:
    """Fed with the processor's ticks; one that is from another epoch starts over."""

    epoch: str = ""
    as_of: str | None = None
    watermark: str | None = None
    complete: bool = False
    rows: dict[tuple[int, str], Row] = field(default_factory=dict)

    def hear(self, tick: Mapping[str, Any]) -> frozenset[int]:
        """Note a tick; the location keys it changed.

        Raises: KeyError, TypeError, ValueError for what is no tick.
        """
        epoch = str(tick["epoch"])
        rows = [
            (
                (int(row["location_key"]), str(row["window"])),
                Row(rev=int(row["rev"]), values=dict(row["values"]), bots=dict(row.get("bots") or {})),
            )
            for row in tick["rows"]
        ]
        if epoch != self.epoch:
            self.epoch = epoch
            self.rows.clear()
        for key, row in rows:
            if key not in self.rows or row.rev >= self.rows[key].rev:
                self.rows[key] = row
        self.as_of, self.watermark = tick["as_of"], tick.get("watermark")
        self.complete = bool(tick.get("complete", True))
        return frozenset(key for (key, _), _ in rows)

    def of(self, places: Iterable[int]) -> Mapping[tuple[int, str], Row]:
        """The rows of these location keys."""
        wanted = frozenset(places)
        return {key: row for key, row in self.rows.items() if key[0] in wanted}
