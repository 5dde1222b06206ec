"""A conflict as screens show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What two people disagree about: values, whether a row shall be, or whether two leads are one person.

    `orphan`: something was written for a lead that somebody deleted meanwhile; it is kept, and belongs to nobody.
    """

    VALUES = "values"
    DELETED = "deleted"
    ORPHAN = "orphan"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictField:
    """One field of the unit that two people changed: before, what won at first, and what lost."""

    name: str
    base: object
    winner: object
    loser: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictItem:
    """Two versions of one unit. `mine_won`: True, False, or None where neither version is this person's.

    `about`: the words of an orphan.
    """

    id: str
    kind: Kind
    table: str
    row_id: str
    lead_id: str
    lead_name: str
    unit: str
    policy: str
    fields: tuple[ConflictField, ...]
    winner_by: str
    winner_at: datetime | None
    loser_by: str
    loser_at: datetime | None
    mine_won: bool | None
    status: str
    resolution: str
    resolved_by: str
    resolved_at: datetime | None
    created_at: datetime
    about: str = ""

    @property
    def open(self) -> bool:
        return self.status == "open"

    @property
    def loser_stands(self) -> bool:
        """A person took the other value afterwards."""
        return self.resolution == "restored"

    @property
    def mine_stands(self) -> bool | None:
        """Whether this person's value is the one that counts now."""
        return None if self.mine_won is None else self.mine_won is not self.loser_stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One of two leads that may be the same person. `here` False = it is not on this device."""

    id: str
    here: bool
    name: str
    phone: str = ""
    email: str = ""
    address: str = ""
    stage: str = ""
    source: str = ""
    agent_name: str = ""
    created_at: datetime | None = None
    last_touch_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two leads to be told apart, or merged. `same`: fields that are equal in both."""

    conflict_id: str
    open: bool
    resolution: str
    one: Twin
    other: Twin

    @property
    def same(self) -> frozenset[str]:
        names = ("name", "phone", "email", "address")
        return frozenset(
            name
            for name in names
            if getattr(self.one, name) and getattr(self.one, name) == getattr(self.other, name)
        )
