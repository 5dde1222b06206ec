"""What people did, as they remember it: the measure that the server's history is held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage import outbox
from tests.simulation.phone import Phone
from tests.simulation.world import EPOCH_MS, World


@dataclass(slots=True, kw_only=True)
class Written:
    """One change that a phone's store kept. `token`: words that no other change carries ("" = it has none).

    `excused`: a person let it go, or the phone that held it was lost before it was sent.
    """

    phone: str
    line: outbox.Line
    token: str
    at_ms: int
    seen_ms: int
    excused: str = ""


@dataclass(slots=True)
class Ledger:
    world: World
    written: list[Written] = field(default_factory=list)
    restored: set[tuple[str, str]] = field(default_factory=set)
    opted_out: dict[str, str] = field(default_factory=dict)
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
                    seen_ms=line.mutation.seen_server_ms,
                )
            )
        return lines

    def skip(self, phone: Phone) -> None:
        """Numbers changed by themselves (a fork, a retry): they are no new work."""
        self.marks[phone.name] = int(phone.db.value("SELECT coalesce(max(mid), 0) FROM outbox"))

    def excuse(self, phone: str, tokens: set[str], why: str) -> None:
        for written in self.written:
            if written.phone == phone and written.token in tokens:
                written.excused = why

    def real_ms(self, written: Written) -> int:
        return EPOCH_MS + written.at_ms


def _says(line: outbox.Line, token: str) -> bool:
    return any(token in str(value) for value in line.mutation.patch.values())
