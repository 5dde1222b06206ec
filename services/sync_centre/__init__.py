"""What is safe where: two lamps, what waits, what needs a person, and how much room all takes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services import conflicts
from services.conflicts import ConflictItem, Kind
from services.desk import Desk
from services.notes import audio_files
from services.sync_centre import export, items, lamps, parked, sounds
from services.sync_centre.values import (
    Compared,
    DiaryLine,
    FirstLoad,
    Lamp,
    Lamps,
    ParkedChange,
    ParkedItem,
    StorageUse,
    SyncView,
    Trouble,
    TroubleKind,
    Undecided,
    WaitingItem,
    Why,
)
from storage import blobs, events, locations, outbox, usage

__all__ = [
    "Compared",
    "DiaryLine",
    "FirstLoad",
    "Lamp",
    "Lamps",
    "ParkedChange",
    "ParkedItem",
    "StorageUse",
    "SyncCentre",
    "SyncView",
    "Trouble",
    "TroubleKind",
    "Undecided",
    "WaitingItem",
    "Why",
]
_PARKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCentre:
    """`folders`: other places on this device that take room (speech models), by name."""

    desk: Desk
    conflicts: conflicts.Conflicts
    folders: Mapping[str, Path] = field(default_factory=dict)

    def view(self, *, limit: int = 50) -> SyncView:
        """All that the screen shows; one page of what waits."""
        db, files, reader = self.desk.db, blobs.unsent(self.desk.db), items.Reader(desk=self.desk)
        held = outbox.listed(db, state=outbox.State.PARKED, limit=_PARKED)
        mine = self.conflicts.mine(limit=limit)
        own = {item.id for item in mine}
        return SyncView(
            lamps=self.lamps(),
            waiting=reader.waiting(files, limit=limit),
            waiting_total=outbox.counts(db).pending + len(files),
            parked=reader.parked(held)[:limit],
            mine=self._undecided(mine),
            others=self._undecided(
                [item for item in self.conflicts.open_ones(limit=limit) if item.id not in own]
            ),
            lost=self.conflicts.lost(),
            diary=tuple(
                DiaryLine(at=event.at, level=event.level, event=event.event)
                for event in events.recent(db, limit=30)
            ),
        )

    def _undecided(self, found: Iterable[ConflictItem]) -> Undecided:
        values, pairs = [], []
        for item in found:
            if item.kind is Kind.DUPLICATE:
                pairs.append(self.conflicts.pair(item.id))
            else:
                values.append(item)
        return Undecided(values=tuple(values), pairs=tuple(pairs))

    def lamps(self) -> Lamps:
        """The two lamps, cheap enough for every screen's frame."""
        return lamps.read(self.desk, self.conflicts)

    def unsent(self) -> int:
        """Changes and recordings that only this device has: logging out asks for it."""
        counts = outbox.counts(self.desk.db)
        return counts.pending + counts.parked + blobs.count_unsent(self.desk.db)

    def location_names(self) -> tuple[str, ...]:
        """Where this person works."""
        found = (locations.get(self.desk.db, location_id) for location_id in self.desk.user.location_ids)
        return tuple(place.name for place in found if place is not None)

    # --- the engine's buttons ---------------------------------------------------------------------------------------

    async def send_now(self) -> None:
        """Tries at once, whatever the timer says."""
        await self.desk.sync.send_now()

    async def compare(self) -> Compared | None:
        """Every row here with the server's, and what differs is mended; None = it did not come to an end."""
        before = self.desk.sync.status().compared_at
        await self.desk.sync.audit()
        found = self.lamps().compared
        return found if found is not None and found.at != before else None

    def force_offline(self, on: bool) -> None:
        """On a bad network: nothing is tried until it is taken back."""
        self.desk.sync.force_offline(on)

    # --- what the server refused ------------------------------------------------------------------------------------

    def parked_of(self, row_id: str) -> tuple[ParkedItem, ...]:
        """Refused actions that touch this row, at the place of work."""
        held = outbox.listed(self.desk.db, state=outbox.State.PARKED, limit=_PARKED)
        groups = {line.group for line in held if line.mutation.row_id == row_id}
        mine = [line for line in held if line.group in groups]
        return items.Reader(desk=self.desk).parked(mine)

    def parked_item(self, group: str) -> ParkedItem:
        """Raises: NotFoundError."""
        return items.Reader(desk=self.desk).parked(parked.lines_of(self.desk.db, group))[0]

    def retry(self, group: str) -> None:
        """A parked action is sent again. Raises: NotFoundError."""
        parked.retry(self.desk, group)

    def correct(self, group: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Sent again with other values, by row and field. Raises: NotFoundError, InputError."""
        parked.correct(self.desk, group, changes)

    def restore(self, group: str) -> None:
        """A deleted row comes back with this change upon it. Raises: NotFoundError."""
        parked.restore(self.desk, group)

    def discard(self, group: str) -> parked.Undo:
        """A parked action is given up; the answer takes that back. Raises: NotFoundError."""
        return parked.discard(self.desk, group)

    def retry_sound(self, blob_id: str) -> None:
        """A recording that was refused is sent anew."""
        sounds.again(self.desk, blob_id)

    async def sound_copy(self, blob_id: str) -> tuple[str, bytes]:
        """A recording that is not on the server, as a file to keep. Raises: NotFoundError, StoreError."""
        return await sounds.copy(self.desk, blob_id)

    def discard_sound(self, blob_id: str) -> None:
        """A recording that was refused is given up. Raises: NotFoundError."""
        sounds.discard(self.desk, blob_id)

    # --- room, and files for support --------------------------------------------------------------------------------

    def storage(self) -> StorageUse:
        """Bytes by area, largest first. A long read: run it in a thread."""
        store = self.desk.db.path
        with self.desk.db.reader() as reads:
            used = usage.read(reads)
        file = sum(_size(store.with_name(store.name + end)) for end in ("", "-wal", "-shm"))
        areas = {
            "data": max(0, file - used.search_bytes),
            "search": used.search_bytes,
            "recordings": _folder_size(audio_files.folder(store)),
            **{name: _folder_size(path) for name, path in self.folders.items()},
        }
        return StorageUse(
            areas=tuple(sorted(areas.items(), key=lambda area: -area[1])),
            rows=used.rows,
            free=shutil.disk_usage(store.parent).free,
        )

    async def export(self, folder: Path | None = None) -> Path:
        """All that waits and sync's diary in one JSON file, for support or as a last resort; its path."""
        name, content = self.export_bytes()
        return await asyncio.to_thread(
            export.write, (folder or self.desk.db.path.parent / "exports") / name, content
        )

    def export_bytes(self) -> tuple[str, bytes]:
        """The same as a file to hand over: a browser saves it where the person says."""
        return export.name("unsent", self.desk.now()), export.encoded(export.everything(self.desk))

    def export_log(self) -> tuple[str, bytes]:
        """Sync's diary alone: it holds no contents."""
        return export.name("log", self.desk.now()), export.encoded(export.log(self.desk))

    def export_one(self, group: str) -> tuple[str, bytes]:
        """One parked action. Raises: NotFoundError."""
        lines = parked.lines_of(self.desk.db, group)
        return export.name("change", self.desk.now()), export.encoded(export.one(self.desk, lines))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _folder_size(path: Path) -> int:
    return sum(_size(item) for item in path.rglob("*") if item.is_file()) if path.is_dir() else 0
