"""The steps of the comparison: is one due, what differs, repair it, remember how it ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from domain import wire
from storage import agreed, compare, cursor, database, doomed, events
from sync.effects import Device

logger = logging.getLogger(__name__)

EVERY_MS = 15 * 60 * 1000
AUDIT_EVERY_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What to compare: `content`, the values too; `older`: the server's word counts even where our row is newer."""

    content: bool
    older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IsDue:
    """None = not now. `asked`: a person wants to know; `first`: the first one since the app was started."""

    asked: bool
    first: bool

    def run(self, device: Device) -> Due | None:
        wanted, last, now = agreed.wanted(device.db), agreed.last(device.db), _now_ms(device)
        older = wanted is agreed.Want.ALL
        # A store that was never audited was loaded a moment ago: its contents are what the server just sent.
        content = self.asked or older or (last.audited_ms > 0 and _is_old(last, now))
        if content or wanted or self.first or not 0 <= now - last.at_ms < EVERY_MS:
            return Due(content=content, older=older)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Which (location, table) differ from what the server said."""

    said: wire.Digests
    content: bool

    def run(self, device: Device) -> list[tuple[str, str]]:
        return self.look(device.db)

    def look(self, reads: database.Reads) -> list[tuple[str, str]]:
        """Half a second for 20,000 rows with their contents: the shell does it beside the screen's thread."""
        return compare.unlike(compare.sums(reads, content=self.content), self.said.sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """The ranges of ids in which one table differs, and where the store stood when they were asked for."""

    ranges: Sequence[int]
    since: compare.Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    scope: str
    table: str
    said: wire.Digests
    content: bool

    def run(self, device: Device) -> Differing:
        return self.look(device.db)

    def look(self, reads: database.Reads) -> Differing:
        """As `Sums.look`."""
        since = compare.mark(reads)  # before: what comes in meanwhile makes the ranges old
        ours = compare.ranges(reads, self.scope, self.table, content=self.content)
        theirs = self.said.ranges or [(0, "0" * 16)] * len(ours)
        differ = [place for place, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other]
        return Differing(ranges=differ, since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """How many rows were not as on the server; None = the store moved on meanwhile, or the server did: ask again."""

    ask: wire.RowsAsk
    found: wire.RangeRows
    due: Due
    since: compare.Mark

    def run(self, device: Device) -> int | None:
        with device.db.write_tx() as tx:
            if self.found.incarnation not in ("", cursor.place(tx).incarnation):
                return None  # a page will tell; until then what it doesn't list may be what it lost
            done = compare.repair(
                tx, self.ask, self.found, force=self.due.content, older=self.due.older, since=self.since
            )
            doomed.add(tx, done.files)
        doomed.sweep(device.db)
        if done.rows or done.removed:
            logger.warning("sync.repaired", extra={"rows": done.rows, "removed": done.removed})
        return None if done.late else done.rows + done.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember:
    """How the comparison ended. `late`: something moved on meanwhile, so it says nothing."""

    due: Due
    repaired: int
    late: bool

    def run(self, device: Device) -> None:
        if self.late:
            return
        count = sum(number for some in compare.sums(device.db).values() for number, _ in some.values())
        with device.db.write_tx() as tx:
            agreed.remember(
                tx,
                now_ms=_now_ms(device),
                equal=not self.repaired,
                rows=count,
                audited_schema=wire.SCHEMA if self.due.content or not agreed.last(tx).audited_ms else None,
            )
            events.add(tx, "compare.done", at=device.clock.now(), rows=count, repaired=self.repaired)


def _is_old(last: agreed.Agreed, now_ms: int) -> bool:
    """An audit of all contents is due: each week, after each change of our tables, after a clock that went back."""
    return last.audited_schema != wire.SCHEMA or not 0 <= now_ms - last.audited_ms < AUDIT_EVERY_MS


def _now_ms(device: Device) -> int:
    return round(device.clock.now().timestamp() * 1000)
