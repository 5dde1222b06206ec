"""What a database in memory holds, and what it remembers of each commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backend.storage.feed import VERSIONS_LOST
from backend.storage.history import Span
from backend.storage.mutations import Seen, Sender
from backend.storage.rows import Stored
from backend.storage.store import Key
from domain import wire

Mid = tuple[str, str, int]
"""(device, epoch, mid)"""


@dataclass(slots=True)
class Logged:
    """A line of the change log; `seq` comes after the commit."""

    log_id: int
    xid: int
    table: str
    row_id: str
    ver: int
    scopes: tuple[str | None, str | None]
    origin: str
    at_ms: int
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One version of one row, for the history."""

    table: str
    row_id: str
    before: Stored | None
    after: Stored
    origin: str
    actor: str
    edit_ms: int
    at_ms: int
    received_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A mutation that arrived, and what became of it."""

    mutation: wire.Mutation
    sender: Sender
    seen: Seen
    at_ms: int


@dataclass(slots=True)
class Commit:
    at_ms: int
    undo: list[Callable[[], None]]
    writes: list[Write]


@dataclass(slots=True)
class Data:
    """What a database holds."""

    rows: dict[Key, Stored] = field(default_factory=dict)
    applied: dict[Mid, Applied] = field(default_factory=dict)
    parked: dict[Mid, wire.Mutation] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    opt_outs: dict[str, bool] = field(default_factory=dict)
    """Numbers and e-mails that were remembered."""
    grants: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    """Of each person, those that ended."""
    moves: dict[Key, tuple[Span, ...]] = field(default_factory=dict)
    log: list[Logged] = field(default_factory=list)
    head: int = 0
    floor: int = 0
    incarnation: str = "life-0"
    ver_floor: int = 0
    lives: int = 0
    last_log: int = 0
    last_xid: int = 0

    def begin_life(self, now_ms: int) -> str:
        """As feed.renew_incarnation: versions go on above all that the former life can have given."""
        newest = max((row.ver for row in self.rows.values()), default=0)
        self.ver_floor = max(self.ver_floor + VERSIONS_LOST, newest + VERSIONS_LOST, now_ms)
        self.lives += 1
        self.incarnation = f"life-{self.lives}"
        return self.incarnation
