"""What is remembered of comparisons with the server: when, whether both sides were equal, and which is still wanted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage import cursor, database


class Want(StrEnum):
    """A comparison that must come soon, and how much the server's word counts in it; kept until it is done."""

    NEWER = "newer"  # the feed was lost (410): rows that are missing, stale or gone
    ALL = "all"  # another incarnation of the server: whatever differs, even where ours is newer


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """`at_ms`: the last comparison (0 = never), `equal`: as it ended, `rows` compared; `audited_ms`: the last one of all
    contents, under `audited_schema` of our tables."""

    at_ms: int = 0
    equal: bool = False
    rows: int = 0
    audited_ms: int = 0
    audited_schema: int = 0


def last(reads: database.Reads) -> Agreed:
    return Agreed(
        at_ms=int(cursor.get(reads, "compared_at_ms", "0")),
        equal=cursor.get(reads, "compared_equal") == "1",
        rows=int(cursor.get(reads, "compared_rows", "0")),
        audited_ms=int(cursor.get(reads, "audited_at_ms", "0")),
        audited_schema=int(cursor.get(reads, "audited_schema", "0")),
    )


def remember(
    tx: database.Transaction, *, now_ms: int, equal: bool, rows: int, audited_schema: int | None = None
) -> None:
    """A comparison came to its end. `audited_schema`: it was of all contents, under this version of our tables."""
    cursor.put(tx, compared_at_ms=str(now_ms), compared_equal=str(int(equal)), compared_rows=str(rows))
    if audited_schema is not None:
        cursor.put(tx, audited_at_ms=str(now_ms), audited_schema=str(audited_schema))
    if equal:
        cursor.put(tx, compare_wanted="")


def wanted(reads: database.Reads) -> Want | None:
    found = cursor.get(reads, "compare_wanted")
    return Want(found) if found else None


def want(tx: database.Transaction, which: Want) -> None:
    """The more thorough one counts."""
    if wanted(tx) is not Want.ALL:
        cursor.put(tx, compare_wanted=which.value)
