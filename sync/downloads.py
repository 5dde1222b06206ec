"""Recordings of others down, when somebody wants to hear one: in parts, checked, and kept until there is no room."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from domain import errors, ports
from storage import blobs, database, downloads, notes
from sync import answers, client, codec, files

logger = logging.getLogger(__name__)

MOST_BYTES = 200 * 1024 * 1024
"""So much of others' recordings is kept here; the longest unheard goes first."""
Report = Callable[[float], None]
_SUFFIXES = {"audio/wav": ".wav", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/ogg": ".ogg"}


@dataclass(slots=True, kw_only=True)
class Downloads:
    """One at a time. A part that came is never asked for again, also not after a restart of the app."""

    db: database.Database
    line: client.Client
    clock: ports.Clock
    most_bytes: int = MOST_BYTES
    chunk: int = files.FIRST_CHUNK
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fetch(self, note_id: str, on_progress: Report = lambda _: None) -> Path:
        """The note's recording on this device; `on_progress` hears 0 to 1.

        Raises: NotFoundError, NetworkError and AccessError (what came is kept), SyncError when it is damaged, DiskFullError.
        """
        own = blobs.of_note(self.db, note_id)
        if own is not None and own.path.exists():
            return own.path
        async with self._one_at_a_time:
            one = self._begun(note_id)
            if not one.complete:
                await self._load(one, on_progress)
                await asyncio.to_thread(self._check, one)
            self._heard(one)
            return one.path

    def sweep(self) -> None:
        """Deletes files that no line names: their location was lost, and the app died before they were deleted."""
        for path in self._folder().glob("*"):
            if downloads.of_note(self.db, path.stem) is None:
                path.unlink(missing_ok=True)

    def _folder(self) -> Path:
        return self.db.path.parent / "heard"

    def _begun(self, note_id: str) -> downloads.Download:
        note = notes.get(self.db, note_id)
        if note is None or not note.audio_sha256 or not note.audio_bytes:
            raise _gone()
        known = downloads.of_note(self.db, note_id)
        if known is not None and known.sha256 == note.audio_sha256:
            return replace(known, complete=known.complete and known.path.exists())
        suffix = _SUFFIXES.get(note.audio_type or "", ".bin")
        one = downloads.Download(
            note_id=note_id,
            location_id=note.location_id,
            path=self._folder() / f"{note_id}{suffix}",
            sha256=note.audio_sha256,
            size=note.audio_bytes,
            complete=False,
            at_ms=self._now_ms(),
        )
        one.path.unlink(missing_ok=True)
        with self.db.write_tx() as tx:
            downloads.put(tx, one)
        return one

    async def _load(self, one: downloads.Download, on_progress: Report) -> None:
        one.path.parent.mkdir(mode=0o700, exist_ok=True)
        here = one.path.stat().st_size if one.path.exists() else 0
        while here < one.size:
            on_progress(here / one.size)
            began = self.clock.monotonic()
            answer = await self._part(one, here)
            self.chunk = files.next_chunk(self.chunk, self.clock.monotonic() - began)
            start = here if answer.status_code == 206 else 0  # another file, or a proxy that knows no ranges
            if not answer.content or start + len(answer.content) > one.size:
                raise answers.not_ours("another recording")
            if downloads.of_note(self.db, one.note_id) is None:
                raise _gone()  # its location was lost meanwhile
            here = await asyncio.to_thread(_write, one.path, start, answer.content)
        on_progress(1.0)

    async def _part(self, one: downloads.Download, start: int) -> httpx.Response:
        last = min(start + self.chunk, one.size) - 1
        headers = {
            "Range": f"bytes={start}-{last}",
            "If-Range": f'"{one.sha256}"',
            "Accept-Encoding": "identity",
        }
        return await self.line.request("GET", f"{codec.UPLOADS}/{one.sha256}", headers=headers)

    def _check(self, one: downloads.Download) -> None:
        try:
            with one.path.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == one.sha256
        except FileNotFoundError as fault:  # wiped meanwhile
            raise _gone() from fault
        if not right:
            one.path.unlink()
            logger.warning("sync.download_damaged")
            raise errors.SyncError(
                "The recording did not come as it was made.", where="recording", hint="Try it once more."
            )

    def _heard(self, one: downloads.Download) -> None:
        """It counts as the one heard last. A location lost meanwhile took it along."""
        with self.db.write_tx() as tx:
            there = downloads.of_note(tx, one.note_id) is not None
            if there:
                downloads.put(tx, replace(one, complete=True, at_ms=self._now_ms()))
            gone = downloads.make_room(tx, most_bytes=self.most_bytes, keep=one.note_id)
        for path in gone if there else [*gone, one.path]:
            path.unlink(missing_ok=True)
        if not there:
            raise _gone()

    def _now_ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)


def _write(path: Path, start: int, content: bytes) -> int:
    """Bytes that are there now. Raises: DiskFullError."""
    try:
        with path.open("r+b" if path.exists() else "xb") as file:
            file.truncate(start)
            file.seek(start)
            file.write(content)
    except OSError as fault:
        raise errors.DiskFullError(
            "The recording can't be kept on this device.",
            where=path.name,
            hint="Free some space and try again.",
        ) from fault
    return start + len(content)


def _gone() -> errors.NotFoundError:
    return errors.NotFoundError(
        "There is no recording of this note here or on the server (yet).",
        where="recording",
        hint="It may still be on the phone that made it.",
    )
