"""What is safe where: two lamps, what waits, what needs a person, and how much room all takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from domain import errors, tables, wire
from services import conflicts
from services.desk import Desk
from services.notes import audio_files
from services.sync_centre import export
from services.sync_centre.values import (
    DiaryLine,
    Lamp,
    Lamps,
    ParkedItem,
    StorageUse,
    SyncView,
    WaitingItem,
)
from services.sync_words import SyncWord
from storage import blobs, events, locations, outbox, rebase, rows
from storage import conflicts as stored_conflicts

__all__ = ["DiaryLine", "Lamp", "Lamps", "ParkedItem", "StorageUse", "SyncCentre", "SyncView", "WaitingItem"]
_PARKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCentre:
    """`folders`: other places on this device that take room (speech models), by name."""

    desk: Desk
    conflicts: conflicts.Conflicts
    folders: Mapping[str, Path] = field(default_factory=dict)

    def view(self, *, limit: int = 50) -> SyncView:
        """All that the screen shows; one page of what waits."""
        db, sounds = self.desk.db, blobs.unsent(self.desk.db)
        moving = [
            *outbox.listed(db, state=outbox.State.INFLIGHT, limit=limit),
            *outbox.listed(db, state=outbox.State.PENDING, limit=limit),
        ]
        parked = outbox.listed(db, state=outbox.State.PARKED, limit=_PARKED)
        return SyncView(
            lamps=self.lamps(),
            waiting=(*map(self._sound, sounds[:limit]), *map(self._line, moving[:limit])),
            waiting_total=outbox.counts(db).pending + len(sounds),
            parked=self._parked(parked)[:limit],
            conflicts=self.conflicts.open_ones(limit=limit),
            diary=tuple(
                DiaryLine(at=event.at, level=event.level, event=event.event)
                for event in events.recent(db, limit=30)
            ),
        )

    def lamps(self) -> Lamps:
        """The two lamps, cheap enough for every screen's frame."""
        counts, status = outbox.counts(self.desk.db), self.desk.sync.status()
        sounds = blobs.unsent(self.desk.db)
        refused = sum(sound.state is blobs.State.FAILED for sound in sounds)
        needs_you = counts.parked + refused + stored_conflicts.count_open(self.desk.db)
        return Lamps(
            phone=Lamp.GREEN,
            server=_server_lamp(needs_you, counts.pending + len(sounds)),
            online=status.online,
            forced_offline=status.forced_offline,
            sending=status.running,
            waiting=counts.pending,
            audio_waiting=len(sounds) - refused,
            audio_bytes=sum(sound.size - sound.sent for sound in sounds),
            needs_you=needs_you,
            last_contact_at=status.last_contact_at,
            next_try_at=status.next_try_at,
            as_of=self.desk.as_of(),
            oldest_waiting_at=None if counts.oldest_ms is None else _time(counts.oldest_ms),
            error=status.error,
            needs_sign_in=status.needs_sign_in,
            first_sync=status.first_sync,
        )

    def unsent(self) -> int:
        """Changes and recordings that only this device has: logging out asks for it."""
        counts = outbox.counts(self.desk.db)
        return counts.pending + counts.parked + blobs.count_unsent(self.desk.db)

    def location_names(self) -> tuple[str, ...]:
        """Where this person works."""
        found = (locations.get(self.desk.db, location_id) for location_id in self.desk.user.location_ids)
        return tuple(place.name for place in found if place is not None)

    async def send_now(self) -> None:
        """Tries at once, whatever the timer says."""
        await self.desk.sync.send_now()

    def force_offline(self, on: bool) -> None:
        """On a bad network: nothing is tried until it is taken back."""
        self.desk.sync.force_offline(on)

    def retry(self, group: str) -> None:
        """A parked action is sent again. Raises: NotFoundError."""
        found = self._group(group)
        with self.desk.db.write_tx() as tx:
            for line in found:
                outbox.mark_waiting(tx, line.mutation.mid)
            for table, row_id in {line.row for line in found}:
                outbox.block_dependants(tx, table, row_id)

    def retry_sound(self, blob_id: str) -> None:
        """A recording that was refused is sent anew."""
        with self.desk.db.write_tx() as tx:
            blobs.again(tx, blob_id)

    def discard(self, group: str) -> None:
        """A parked action is given up: its rows show the server's values again. Raises: NotFoundError."""
        found = self._group(group)
        with self.desk.db.write_tx() as tx:
            for line in found:
                mids = [line.mutation.mid]
                if line.mutation.op is wire.Op.PUT:  # what was made on it has no row any more
                    mids = [other.mutation.mid for other in outbox.of_row(tx, *line.row)]
                outbox.drop(tx, mids)
            for table, row_id in {line.row for line in found}:
                outbox.block_dependants(tx, table, row_id)
                rebase.refresh(tx, tables.BY_NAME[table], row_id)

    def storage(self) -> StorageUse:
        """Bytes by area, largest first."""
        store = self.desk.db.path
        areas = {
            "data": sum(_size(store.with_name(store.name + end)) for end in ("", "-wal", "-shm")),
            "recordings": _folder_size(audio_files.folder(store)),
            **{name: _folder_size(path) for name, path in self.folders.items()},
        }
        return StorageUse(areas=tuple(sorted(areas.items(), key=lambda area: -area[1])))

    async def export(self, folder: Path | None = None) -> Path:
        """All that waits and sync's diary in one JSON file, for support or as a last resort; its path."""
        content = export.content(self.desk)
        target = folder or self.desk.db.path.parent / "exports"
        return await asyncio.to_thread(export.write, target, content, self.desk.now())

    def export_bytes(self) -> tuple[str, bytes]:
        """The same as a file to hand over: a browser saves it where the person says."""
        return export.name(self.desk.now()), export.encoded(export.content(self.desk))

    def _group(self, group: str) -> list[outbox.Line]:
        lines = outbox.listed(self.desk.db, state=outbox.State.PARKED, limit=10_000)
        found = [line for line in lines if line.group == group]
        if not found:
            raise errors.NotFoundError(
                "This change does not wait for you (any more).", where="sync", hint="Look at the list again."
            )
        return found

    def _line(self, line: outbox.Line) -> WaitingItem:
        values = self._values(line)
        return WaitingItem(
            id=str(line.mutation.mid),
            table=line.mutation.table,
            row_id=line.mutation.row_id,
            lead_id=_lead(line, values),
            title=outbox.human(line, values),
            what=tuple(line.mutation.patch),
            made_at=_time(line.mutation.edit_ms),
            word=self._word(line.state is outbox.State.INFLIGHT),
            error=line.message,
        )

    def _sound(self, blob: blobs.Blob) -> WaitingItem:
        refused = blob.state is blobs.State.FAILED
        found = rows.get(self.desk.db, tables.NOTES, blob.note_id)
        values = found[1] if found else {}
        made = values.get("created_at")
        return WaitingItem(
            id=blob.id,
            table="blobs",
            row_id=blob.note_id,
            lead_id=values.get("lead_id") or "",
            title="Recording",
            what=(),
            made_at=datetime.fromisoformat(made) if made else self.desk.now(),
            word=SyncWord.NEEDS_YOU if refused else self._word(blob.state is blobs.State.SENDING),
            size=blob.size,
            sent=blob.sent,
            error=blob.error,
        )

    def _parked(self, lines: Sequence[outbox.Line]) -> tuple[ParkedItem, ...]:
        """One for each action, its own fault first."""
        groups: dict[str, list[outbox.Line]] = {}
        for line in lines:
            groups.setdefault(line.group, []).append(line)
        return tuple(self._action(members) for members in groups.values())

    def _action(self, members: Sequence[outbox.Line]) -> ParkedItem:
        first = min(members, key=lambda line: line.code == outbox.BLOCKED)
        values = self._values(first)
        return ParkedItem(
            group=first.group,
            title=outbox.human(first, values),
            table=first.mutation.table,
            row_id=first.mutation.row_id,
            lead_id=_lead(first, values),
            what=tuple(first.mutation.patch.items()),
            code=first.code,
            message=first.message,
            blocked=first.code == outbox.BLOCKED,
            made_at=_time(first.mutation.edit_ms),
        )

    def _values(self, line: outbox.Line) -> Mapping[str, object] | None:
        found = rows.get(self.desk.db, tables.BY_NAME[line.mutation.table], line.mutation.row_id)
        return found[1] if found else None

    def _word(self, sending: bool) -> SyncWord:
        status = self.desk.sync.status()
        if not status.online or status.forced_offline:
            return SyncWord.ON_PHONE
        return SyncWord.SENDING if sending else SyncWord.WAITING


def _server_lamp(needs_you: int, waiting: int) -> Lamp:
    if needs_you:
        return Lamp.RED
    return Lamp.AMBER if waiting else Lamp.GREEN


def _lead(line: outbox.Line, values: Mapping[str, object] | None) -> str:
    if line.mutation.table == tables.LEADS.name:
        return line.mutation.row_id
    found = (values or line.mutation.patch).get("lead_id")
    return str(found) if found else ""


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _folder_size(path: Path) -> int:
    return sum(_size(item) for item in path.rglob("*") if item.is_file()) if path.is_dir() else 0
