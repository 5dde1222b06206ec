"""Rows that can't be brought together are taken apart until the one at fault is alone; all others are brought.

Nobody is blamed for what passes (`faults.Blame.NOBODY`): it is raised, and everything waits. A row whose fault nobody knows, or that
connections end of, is blamed only where another row of its table is brought right after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from backend import faults
from backend.storage.warehouse.feed_aside import ENDED, Row
from backend.stream.from_sync.changed import Changed

MOST_ENDS = 3
"""A row by itself may end so many connections."""
PATIENCE = 2
"""After so many connections that ended in the middle of the same rows each is tried by itself."""

Bring: TypeAlias = Callable[[Changed], Awaitable[Mapping[Row, str]]]
"""Answers what was refused, with the reason."""


@dataclass(slots=True)
class Doubts:
    """What was being tried when connections ended and PostgreSQL did not say why. Outlives the connection, not the process.

    `together`, `alone`: how many ended while a row was tried with others, or by itself; `passed`: rows that were brought after that.
    """

    tried: Sequence[Row] = ()
    together: Counter[Row] = field(default_factory=Counter)
    alone: Counter[Row] = field(default_factory=Counter)
    passed: set[Row] = field(default_factory=set)

    def stop(self, *, ended: bool) -> None:
        """Something was raised. `ended`: the connection is no more, and nobody knows why."""
        if ended:
            (self.alone if len(self.tried) == 1 else self.together).update(self.tried)
        self.tried = ()

    def pieces(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        """All together, but for those that connections ended of: row by row, until they pass."""
        single = dict.fromkeys(
            row for row in rows if self.together[row] >= PATIENCE and row not in self.passed
        )
        sure = [row for row in rows if row not in single] if single else rows
        return [*([sure] if sure else []), *([row] for row in single)]

    def pass_(self, rows: Sequence[Row]) -> None:
        self.tried = ()
        if self.together:
            self.passed.update(rows)

    def forget(self, rows: Sequence[Row]) -> None:
        """They are done with."""
        for row in rows if self.together or self.alone else ():
            self.together.pop(row, None)
            self.alone.pop(row, None)
            self.passed.discard(row)


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where rows are taken apart. `is_closed`: the connection has ended. `others`: rows of the same table that nothing is held against."""

    bring: Bring
    is_closed: Callable[[], bool]
    others: Callable[[Row], Awaitable[Sequence[Row]]]
    now: Callable[[], datetime]
    doubts: Doubts

    async def brought(
        self, changed: Changed, rows: Sequence[Row], *, convicted: bool = False
    ) -> dict[Row, str]:
        """All of `rows` but what is answered, with the reason. Raises: what passes, and what nobody can be blamed for.

        `convicted`: they were at fault before, and need no proof.
        """
        accused: dict[Row, str] = {}
        waiting = self.doubts.pieces(rows)[::-1]
        while waiting:
            some = waiting.pop()
            if len(some) == 1 and await self._ends_connections(some[0]):
                accused[some[0]] = ENDED
                continue
            try:
                accused |= await self._tried(changed.only(some), some)
            except Exception as fault:
                if self.is_closed() or faults.blame(fault) is faults.Blame.NOBODY:
                    raise
                self.doubts.tried = ()
                half = len(some) // 2
                if half:
                    waiting += [some[half:], some[:half]]
                elif (
                    convicted or faults.blame(fault) is faults.Blame.DATA or await self._others_pass(some[0])
                ):
                    accused[some[0]] = faults.sqlstate(fault) or type(fault).__name__
                else:
                    raise
        return accused

    async def _tried(self, changed: Changed, rows: Sequence[Row]) -> Mapping[Row, str]:
        self.doubts.tried = rows
        refused = await self.bring(changed)
        self.doubts.pass_(rows)
        return refused

    async def _ends_connections(self, row: Row) -> bool:
        return self.doubts.alone[row] >= MOST_ENDS and await self._others_pass(row)

    async def _others_pass(self, row: Row) -> bool:
        """Is another row of this table brought at this moment? Raises: what passes."""
        for other in await self.others(row):
            try:
                await self.bring(Changed.anew([other], self.now()))
            except Exception as fault:
                if self.is_closed() or faults.blame(fault) is faults.Blame.NOBODY:
                    raise
            else:
                return True
        return False
