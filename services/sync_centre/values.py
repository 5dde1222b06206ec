"""The sync centre as its screen shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services import sync_words
from services.conflicts import ConflictItem, Pair


class Lamp(StrEnum):
    """`green`: all is there, and that is fresh knowledge; `amber`: something is on its way; `red`: a person must look.

    `off`: nothing waits, but nobody has heard from the server for a while.
    """

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    OFF = "off"


class TroubleKind(StrEnum):
    """What is in the way, where a person can do something about it."""

    SIGN_IN = "sign_in"
    UPDATE = "update"
    NO_ACCESS = "no_access"
    CAPTIVE = "captive"
    FULL = "full"
    STORE = "store"
    BUSY = "busy"
    CLOCK = "clock"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """`ahead`: how far this device's clock is ahead of the server's (negative = behind); only for `clock`."""

    kind: TroubleKind
    message: str = ""
    hint: str = ""
    ahead: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLoad:
    """The first download: rows."""

    done: int
    total: int

    @property
    def share(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The last comparison of all rows with the server's. `equal` False: what differed was repaired."""

    at: datetime
    equal: bool
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """Safe on this phone, and safe on the server. `lost`: values of this person that another one replaced."""

    phone: Lamp
    server: Lamp
    online: bool
    forced_offline: bool
    sending: bool
    waiting: int
    audio_waiting: int
    audio_bytes: int
    parked: int
    needs_you: int
    lost: int
    last_contact_at: datetime | None
    next_try_at: datetime | None
    as_of: datetime | None
    oldest_waiting_at: datetime | None
    troubles: tuple[Trouble, ...] = ()
    first: FirstLoad | None = None
    compared: Compared | None = None

    @property
    def unsent(self) -> int:
        return self.waiting + self.audio_waiting


class Why(StrEnum):
    """Why a recording is not sent although there is a network."""

    NOTE_FIRST = "note_first"  # its note goes before it
    WIFI = "wifi"  # only on Wi-Fi, as the person chose


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingItem:
    """A change or a recording on its way. `what`: changed fields with what was written; `size`/`sent` only for recordings."""

    id: str
    table: str
    row_id: str
    lead_id: str
    lead_name: str
    title: str
    what: tuple[tuple[str, object], ...]
    made_at: datetime
    word: sync_words.SyncWord
    urgent: bool = False
    size: int | None = None
    sent: int | None = None
    why: Why | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedChange:
    """One field of a parked action: what was written, and what the server has."""

    table: str
    row_id: str
    name: str
    mine: object
    server: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedItem:
    """An action that the server can't apply, in its words. It may be corrected, sent again, discarded, exported.

    `blocked`: it only waits for another parked one of the same row. `restorable`: somebody deleted the row, and
    this change can bring it back. `entries`: rows that it would have made.
    """

    group: str
    title: str
    table: str
    row_id: str
    lead_id: str
    lead_name: str
    changes: tuple[ParkedChange, ...]
    code: str
    message: str
    blocked: bool
    restorable: bool
    made_at: datetime
    entries: int = 0

    @property
    def correctable(self) -> bool:
        """Whether another value may help: not where the row or the right to it is gone."""
        return self.code in {"bad_value", "rule", "group", "input"} and bool(self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUse:
    """What this device holds: bytes by area (largest first), rows by table, and what is free on its disk."""

    areas: tuple[tuple[str, int], ...]
    rows: tuple[tuple[str, int], ...] = ()
    free: int = 0

    @property
    def total(self) -> int:
        return sum(size for _, size in self.areas)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryLine:
    """A line of sync's diary."""

    at: datetime
    level: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Differences that a person has to settle: two values, and two leads that may be one person."""

    values: tuple[ConflictItem, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def count(self) -> int:
        return len(self.values) + len(self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """The sync centre's screen. `waiting`: in the order of sending; `mine`, `others`: by who has to decide."""

    lamps: Lamps
    waiting: tuple[WaitingItem, ...]
    waiting_total: int
    parked: tuple[ParkedItem, ...]
    mine: Undecided
    others: Undecided
    lost: tuple[ConflictItem, ...]
    diary: tuple[DiaryLine, ...]
