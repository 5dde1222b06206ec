"""Commission divided by stage, agent, location, side and source: in each division the parts sum to the total, to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.services.bi import stocks
from backend.storage.warehouse.money import Part
from backend.storage.warehouse.offices import Office
from domain import shares
from domain.deals import ORDER

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What keys are called."""

    offices: Mapping[int, Office]
    agents: Mapping[str, str]

    @classmethod
    def of(cls, offices: Sequence[Office], agents: Mapping[str, str]) -> Names:
        return cls(offices={office.key: office for office in offices}, agents=agents)


Named = tuple[str | None, str]
"""A key and what it is called."""


def earned(parts: Sequence[Part], names: Names) -> dict[str, Any]:
    """Of closed deals: their total, and the same divided four ways."""
    return {"total": _sum(parts)} | {
        f"by_{name}": _rows(parts, key) for name, key in _divisions(names).items() if name != "stage"
    }


def standing(parts: Sequence[Part], names: Names) -> dict[str, Any]:
    """Of open deals, with what they are worth by their odds."""
    weighted = round(sum(weight(part) for part in parts))
    found: dict[str, Any] = {"total": _sum(parts) | {"weighted_cents": weighted}}
    for name, key in _divisions(names).items():
        rows = _rows(parts, key)
        weights = [max(0.0, sum(map(weight, group))) for group in _groups(parts, key).values()]
        split = shares.split(weighted, weights) if weights else []
        by_key = dict(zip(_groups(parts, key), split, strict=True))
        found[f"by_{name}"] = [row | {"weighted_cents": by_key[row["key"], row["label"]]} for row in rows]
    found["by_stage"].sort(key=lambda row: ORDER.index(row["key"]))
    return found


def weight(part: Part) -> float:
    return stocks.chance(part.stage, sells=part.sells) * part.company_cents


def _divisions(names: Names) -> Mapping[str, Callable[[Part], Named]]:
    return {
        "stage": lambda part: (part.stage, part.stage),
        "agent": lambda part: (part.agent_id, names.agents.get(part.agent_id or "", UNKNOWN)),
        "location": lambda part: (
            names.offices[part.location_key].id,
            names.offices[part.location_key].name,
        ),
        "side": lambda part: ("seller", "seller") if part.sells else ("buyer", "buyer"),
        "source": lambda part: (part.source or None, part.source or UNKNOWN),
    }


def _groups(parts: Sequence[Part], key: Callable[[Part], Named]) -> dict[Named, list[Part]]:
    groups: dict[Named, list[Part]] = defaultdict(list)
    for part in parts:
        groups[key(part)].append(part)
    return groups


def _rows(parts: Sequence[Part], key: Callable[[Part], Named]) -> list[dict[str, Any]]:
    """Largest commission first."""
    rows = [
        {"key": name, "label": label, **_sum(group)} for (name, label), group in _groups(parts, key).items()
    ]
    return sorted(rows, key=lambda row: (-row["gross_cents"], row["label"]))


def _sum(parts: Sequence[Part]) -> dict[str, int]:
    return {
        "deals": sum(part.deals for part in parts),
        "price_cents": sum(part.price_cents for part in parts),
        "gross_cents": sum(part.gross_cents for part in parts),
        "company_cents": sum(part.company_cents for part in parts),
    }
