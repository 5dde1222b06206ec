"""The sync centre as its screen shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services import conflicts, sync_words


class Lamp(StrEnum):
    """`green`: all is there; `amber`: on its way or no network; `red`: a person must look."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """Safe on this phone, and safe on the server."""

    phone: Lamp
    server: Lamp
    online: bool
    forced_offline: bool
    sending: bool
    waiting: int
    audio_waiting: int
    audio_bytes: int
    needs_you: int
    last_contact_at: datetime | None
    next_try_at: datetime | None
    as_of: datetime | None
    oldest_waiting_at: datetime | None
    error: str
    needs_sign_in: bool
    first_sync: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingItem:
    """A change or a recording on its way. `what`: changed fields by name; `size`/`sent` only for recordings."""

    id: str
    table: str
    row_id: str
    lead_id: str
    title: str
    what: tuple[str, ...]
    made_at: datetime
    word: sync_words.SyncWord
    size: int | None = None
    sent: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedItem:
    """An action that the server can't apply, in its words. It may be retried, discarded, or opened and changed.

    `blocked`: it only waits for another parked one of the same row.
    """

    group: str
    title: str
    table: str
    row_id: str
    lead_id: str
    what: tuple[tuple[str, object], ...]
    code: str
    message: str
    blocked: bool
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUse:
    """Bytes on this device by area, largest first."""

    areas: tuple[tuple[str, int], ...]

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
class SyncView:
    """The sync centre's screen."""

    lamps: Lamps
    waiting: tuple[WaitingItem, ...]
    waiting_total: int
    parked: tuple[ParkedItem, ...]
    conflicts: tuple[conflicts.ConflictItem, ...]
    diary: tuple[DiaryLine, ...]
