"""What people did, as they remember it: the measure that the server's history is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage import outbox
from tests.simulation.phone import Phone
from tests.simulation.world import World


@dataclass(slots=True, kw_only=True)
class Written:
    """One change that a phone's store kept. `token`: words that no other change carries ("" = it has none).

    `excused`: a person let it go, or the phone that held it was lost before it was sent. `only_there`: the server has it,
    and the phone's journal no more.
    """

    phone: str
    line: outbox.Line
    token: str
    at_ms: int
    excused: str = ""
    only_there: bool = False
    older: Mapping[str, Any] | None = None

    def is_of(self, row: tuple[str, str], patch: Mapping[str, Any]) -> bool:
        """Is it the change that a queue holds, in our words or in those of an older app (`older`)?"""
        return self.line.row == row and patch in (self.line.mutation.patch, self.older)


@dataclass(slots=True)
class Ledger:
    world: World
    written: list[Written] = field(default_factory=list)
    restored: set[tuple[str, str]] = field(default_factory=set)
    pairs: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    def note(self, phone: Phone, token: str) -> list[outbox.Line]:
        """Everything that the phone's outbox got since it was looked at last."""
        last = self.marks.get(phone.name, 0)
        found = phone.db.rows("SELECT * FROM outbox WHERE mid > ? ORDER BY mid", (last,))
        lines = [outbox.line(row) for row in found]
        for line in lines:
            self.marks[phone.name] = line.mutation.mid
            self.written.append(
                Written(
                    phone=phone.name,
                    line=line,
                    token=token if token and _says(line, token) else "",
                    at_ms=self.world.now_ms,
                )
            )
        return lines

    def skip(self, phone: Phone) -> None:
        """Numbers changed by themselves (a fork, a retry): they are no new work."""
        self.marks[phone.name] = int(phone.db.value("SELECT coalesce(max(mid), 0) FROM outbox"))

    def step_back(self, phone: Phone) -> None:
        """A number that was given by itself may have gone with a torn write: the next new work has it again."""
        newest = int(phone.db.value("SELECT coalesce(max(mid), 0) FROM outbox"))
        self.marks[phone.name] = min(self.marks.get(phone.name, 0), newest)


def _says(line: outbox.Line, token: str) -> bool:
    return any(token in str(value) for value in line.mutation.patch.values())
