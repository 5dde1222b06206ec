"""A note's recording, to be heard or kept elsewhere: this device's own, or fetched from the server and kept for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from domain import errors
from services.desk import Desk
from services.ports import Recordings
from services.progress import Progress
from storage import blobs, notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """`recordings` None = no server in reach of this process: only what was recorded here. Progress by note id."""

    desk: Desk
    recordings: Recordings | None
    progress: Progress

    async def fetch(self, note_id: str) -> Path:
        """Raises: NotFoundError, NetworkError, AccessError (what came is kept), SyncError, DiskFullError."""
        own = blobs.of_note(self.desk.db, note_id)
        if own is not None and own.path.exists():
            return own.path
        if self.recordings is None:
            raise errors.NotFoundError("This recording is not on this device.", where="recording")
        try:
            return await self.recordings.fetch(note_id, lambda part: self.progress.report(note_id, part))
        finally:
            self.progress.finish(note_id)

    async def content(self, note_id: str) -> tuple[str, bytes]:
        """A file name and the whole file, to be handed out. Raises: as `fetch`."""
        path = await self.fetch(note_id)
        note = notes.get(self.desk.db, note_id)
        day = note.created_at.astimezone(self.desk.zone()).date() if note else self.desk.now().date()
        return f"note-{day.isoformat()}{path.suffix}", await asyncio.to_thread(path.read_bytes)
