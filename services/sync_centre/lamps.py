"""The two lamps, and what is in the way: only what is known, never a guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain import errors
from services import sync_words
from services.conflicts import Conflicts
from services.desk import Desk
from services.ports import SyncStatus
from services.sync_centre.values import Compared, FirstLoad, Lamp, Lamps, Trouble, TroubleKind
from storage import blobs, cursor, outbox

CLOCK_MATTERS = timedelta(minutes=2)


def read(desk: Desk, decided: Conflicts) -> Lamps:
    """Cheap enough for every screen's frame."""
    counts, status = outbox.counts(desk.db), desk.sync.status()
    oldest = outbox.oldest_ms(desk.db) if counts.pending else None
    sounds = blobs.unsent(desk.db)
    refused = sum(sound.state is blobs.State.FAILED for sound in sounds)
    needs_you = counts.parked + refused + decided.count_mine()
    troubles = _troubles(desk, status)
    broken = any(found.kind in {TroubleKind.FULL, TroubleKind.STORE} for found in troubles)
    fresh = sync_words.heard_recently(status, desk.now())
    return Lamps(
        phone=Lamp.RED if broken else Lamp.GREEN,
        server=_server(needs_you, counts.pending + len(sounds), fresh=fresh),
        online=status.online,
        forced_offline=status.forced_offline,
        sending=status.running,
        waiting=counts.pending,
        audio_waiting=len(sounds) - refused,
        audio_bytes=sum(sound.size - sound.sent for sound in sounds),
        parked=counts.parked,
        needs_you=needs_you,
        lost=decided.count_lost(),
        last_contact_at=status.last_contact_at,
        next_try_at=status.next_try_at,
        as_of=desk.as_of(),
        oldest_waiting_at=None if oldest is None else datetime.fromtimestamp(oldest / 1000, UTC),
        troubles=troubles,
        first=_first(status),
        compared=_compared(status),
    )


def _server(needs_you: int, waiting: int, *, fresh: bool) -> Lamp:
    if needs_you:
        return Lamp.RED
    if waiting:
        return Lamp.AMBER
    return Lamp.GREEN if fresh else Lamp.OFF


def _first(status: SyncStatus) -> FirstLoad | None:
    if status.first_sync is None:
        return None
    return FirstLoad(done=status.first_done, total=status.first_total)


def _compared(status: SyncStatus) -> Compared | None:
    if status.compared_at is None or status.compared_equal is None:
        return None
    return Compared(at=status.compared_at, equal=status.compared_equal, rows=status.compared_rows)


_KINDS: tuple[tuple[type[errors.JorgeError], TroubleKind], ...] = (
    (errors.TokenExpiredError, TroubleKind.SIGN_IN),
    (errors.VersionMismatchError, TroubleKind.UPDATE),
    (errors.ForbiddenError, TroubleKind.NO_ACCESS),
    (errors.NotOurServerError, TroubleKind.CAPTIVE),
    (errors.DiskFullError, TroubleKind.FULL),
    (errors.StoreError, TroubleKind.STORE),
    (errors.TooManyTriesError, TroubleKind.BUSY),
    (errors.ServerFaultError, TroubleKind.BUSY),
)


def _troubles(desk: Desk, status: SyncStatus) -> tuple[Trouble, ...]:
    """Being offline is none: work goes on, and the lamp says it."""
    found: list[Trouble] = []
    if status.needs_sign_in:
        found.append(Trouble(kind=TroubleKind.SIGN_IN))
    elif status.fault is not None and not isinstance(status.fault, errors.UnreachableError):
        kind = next((kind for error, kind in _KINDS if isinstance(status.fault, error)), TroubleKind.OTHER)
        found.append(Trouble(kind=kind, message=status.fault.message, hint=status.fault.hint))
    if cursor.place(desk.db).scopes == frozenset():
        found.append(Trouble(kind=TroubleKind.NO_ACCESS))
    ahead = -timedelta(milliseconds=cursor.clock(desk.db).offset_ms)
    if abs(ahead) >= CLOCK_MATTERS:
        found.append(Trouble(kind=TroubleKind.CLOCK, ahead=ahead))
    return tuple(found)
