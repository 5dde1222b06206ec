"""Commission divided by stage, agent, location, side and source: in each division the parts sum to the total, to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from backend.services.bi import compare, stocks
from backend.storage.warehouse.money import Part
from backend.storage.warehouse.offices import Office
from domain import shares
from domain.deals import ORDER

UNKNOWN = "unknown"
_DIVISIONS = ("stage", "agent", "location", "side", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What keys are called."""

    offices: Mapping[str, Office]
    agents: Mapping[str, str]

    @classmethod
    def of(cls, offices: Sequence[Office], agents: Mapping[str, str]) -> Names:
        return cls(offices={str(office.key): office for office in offices}, agents=agents)

    def told(self, division: str, key: str | None) -> dict[str, str | None]:
        if key is None:
            return {"key": None, "label": UNKNOWN}
        if division == "location":
            return {"key": self.offices[key].id, "label": self.offices[key].name}
        return {"key": key, "label": self.agents.get(key, UNKNOWN) if division == "agent" else key}


def divided(
    closed: Sequence[Part], still_open: Sequence[Part], names: Names, *, known: bool
) -> dict[str, Any]:
    """Of closed deals and of open ones. Not `known`: no deal was ever heard of, and the totals are null; 0 is none."""
    found = {"earned": earned(closed, names), "pipeline": standing(still_open, names)}
    if not known:
        for part in found.values():
            part["total"] = dict.fromkeys(part["total"])
    return {**found, "note": None if known else compare.NO_DATA}


def earned(parts: Sequence[Part], names: Names) -> dict[str, Any]:
    """Of closed deals: their total, and the same divided four ways."""
    found: dict[str, Any] = {"total": _sum(_all(parts))}
    for division in _DIVISIONS[1:]:
        rows = [names.told(division, key) | _sum(group) for key, group in _groups(parts, division).items()]
        found[f"by_{division}"] = sorted(rows, key=lambda row: (-row["gross_cents"], row["label"]))
    return found


def standing(parts: Sequence[Part], names: Names) -> dict[str, Any]:
    """Of open deals, with what they are worth by their odds."""
    weighted = stocks.cents(_weight(_all(parts)))
    found: dict[str, Any] = {"total": _sum(_all(parts)) | {"weighted_cents": weighted}}
    for division in _DIVISIONS:
        groups = _groups(parts, division)
        weights = [Fraction(max(0, _weight(group))) for group in groups.values()]
        split = shares.split(weighted, weights) if weights else []
        rows = [
            names.told(division, key) | _sum(group) | {"weighted_cents": share}
            for (key, group), share in zip(groups.items(), split, strict=True)
        ]
        found[f"by_{division}"] = sorted(rows, key=lambda row: (-row["gross_cents"], row["label"]))
    found["by_stage"].sort(key=lambda row: ORDER.index(row["key"]))
    return found


def _all(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.division == "stage"]


def _groups(parts: Sequence[Part], division: str) -> dict[str | None, list[Part]]:
    groups: dict[str | None, list[Part]] = defaultdict(list)
    if division == "side":
        for part in _all(parts):
            groups["seller" if part.sells else "buyer"].append(part)
        return groups
    for part in parts:
        if part.division == division:
            groups[part.key].append(part)
    return groups


def _weight(parts: Sequence[Part]) -> int:
    return sum(stocks.weight(part.stage, part.company_cents, sells=part.sells) for part in parts)


def _sum(parts: Sequence[Part]) -> dict[str, int]:
    return {
        "deals": sum(part.deals for part in parts),
        "price_cents": sum(part.price_cents for part in parts),
        "gross_cents": sum(part.gross_cents for part in parts),
        "company_cents": sum(part.company_cents for part in parts),
    }
