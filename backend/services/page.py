"""A page in the making: for whom, what is in it, and how much more fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from backend.actor import Actor
from backend.services.cursor import Cursor
from domain import tables, wire

MOST_BYTES = 1_000_000
"""Of JSON, about: what a phone on a weak line gets whole within seconds, and a cut costs at most."""

ListedRow = list[Any]
"""[id, ver, value …] in the order of the table's fields"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for what: `scopes` are those to send rows of, all granted ones or the one that was named."""

    actor: Actor
    scopes: frozenset[str]
    limit: int
    now: datetime
    origin: str = ""
    changes: bool = False
    """Rows that the device has may come as what changed in them."""


@dataclass(slots=True, kw_only=True)
class Found:
    cursor: Cursor
    more: bool
    blocks: list[wire.Block] = field(default_factory=list)
    changes: list[wire.Change] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    done: int = 0
    total: int = 0


@dataclass(slots=True, kw_only=True)
class Room:
    """What still fits; one row does in any case."""

    rows: int
    bytes: int = MOST_BYTES
    used: bool = False

    def fitting(self, some: Sequence[ListedRow]) -> list[ListedRow]:
        """As many of `some` as fit, from the first on; they take up their room."""
        kept: list[ListedRow] = []
        for row in some:
            size = size_of(row)
            if self.used and (self.rows < 1 or self.bytes < size):
                break
            kept.append(row)
            self.used = True
            self.rows -= 1
            self.bytes -= size
        return kept


def size_of(row: ListedRow | wire.Change) -> int:
    """Bytes of JSON."""
    return len(orjson.dumps(row.as_json() if isinstance(row, wire.Change) else row)) + 1


def block(table: tables.Table, some: Sequence[ListedRow]) -> wire.Block:
    return wire.Block(table=table.name, columns=("id", "ver", *table.columns), rows=some)
