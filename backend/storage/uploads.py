"""Voice files on their way: how far each has come (PostgreSQL), and its bytes (files under one folder)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from domain import ids

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """`received` bytes are on disk for good; `done` = complete and its checksum right."""

    id: str
    user_id: str
    location_id: str
    note_id: str
    sha256: str
    size: int
    received: int
    media_type: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What a device says about a file before it sends it."""

    note_id: str
    location_id: str
    sha256: str
    size: int
    media_type: str


async def add(connection: Connection, said: Announced, *, user_id: str) -> Upload:
    row = await connection.fetchrow(
        """INSERT INTO uploads (id, user_id, location_id, note_id, sha256, size, media_type)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *""",
        ids.new_id(),
        user_id,
        said.location_id,
        said.note_id,
        said.sha256,
        said.size,
        said.media_type,
    )
    assert row is not None
    return _upload(row)


async def begun(connection: Connection, *, user_id: str, note_id: str, sha256: str) -> Upload | None:
    """The same file of the same note, begun before by the same person: its creation was answered into the void."""
    row = await connection.fetchrow(
        "SELECT * FROM uploads WHERE user_id = $1 AND note_id = $2 AND sha256 = $3 ORDER BY created_at LIMIT 1",
        user_id,
        note_id,
        sha256,
    )
    return _upload(row) if row else None


async def finished(
    connection: Connection,
    *,
    location_ids: Collection[str],
    id_or_sha256: str = "",
    note_id: str | None = None,
) -> Upload | None:
    """A complete upload of these locations, by its id or content, or by its note."""
    row = await connection.fetchrow(
        """SELECT * FROM uploads WHERE location_id = ANY($1::uuid[]) AND done_at IS NOT NULL
           AND (id::text = $2 OR sha256 = $2 OR note_id = $3) ORDER BY created_at LIMIT 1""",
        list(location_ids),
        id_or_sha256,
        note_id,
    )
    return _upload(row) if row else None


async def lock(connection: Connection, upload_id: str) -> Upload | None:
    row = await connection.fetchrow("SELECT * FROM uploads WHERE id = $1 FOR UPDATE", upload_id)
    return _upload(row) if row else None


async def came(connection: Connection, upload_id: str, *, received: int, done: bool) -> None:
    await connection.execute(
        "UPDATE uploads SET received = $2, done_at = CASE WHEN $3 THEN now() END WHERE id = $1",
        upload_id,
        received,
        done,
    )


async def forget_unfinished(connection: Connection, before: datetime) -> list[Upload]:
    """Uploads that nobody goes on with; a device that still does begins anew."""
    rows = await connection.fetch(
        "DELETE FROM uploads WHERE done_at IS NULL AND created_at < $1 RETURNING *", before
    )
    return [_upload(row) for row in rows]


def _upload(row: asyncpg.Record) -> Upload:
    return Upload(
        id=row["id"],
        user_id=row["user_id"],
        location_id=row["location_id"],
        note_id=row["note_id"],
        sha256=row["sha256"],
        size=row["size"],
        received=row["received"],
        media_type=row["media_type"],
        done=row["done_at"] is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The folder of the bytes. Blocking: call in a thread."""

    folder: Path

    def whole(self, upload: Upload) -> Path:
        """Where a complete file lies: once for each location and content."""
        return self.folder / upload.location_id / upload.sha256

    def on_disk(self, upload: Upload) -> int:
        """How many bytes of what the database remembers are really there."""
        if self.whole(upload).is_file():
            return upload.size
        part = self._part(upload)
        return min(upload.received, part.stat().st_size) if part.is_file() else 0

    def write(self, upload: Upload, offset: int, data: bytes) -> None:
        """On disk for good when this returns. What lies beyond `offset` was never acknowledged: it is cut off."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = os.open(self._part(upload), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(part, offset)
            os.pwrite(part, data, offset)
            os.fsync(part)
        finally:
            os.close(part)

    def finish(self, upload: Upload) -> bool:
        """All bytes came: are they the right ones? Then they move to their place, else they are thrown away."""
        whole, part = self.whole(upload), self._part(upload)
        if whole.is_file():
            part.unlink(missing_ok=True)
            return True
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != upload.sha256:
            part.unlink()
            return False
        whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.replace(whole)
        for folder in (whole.parent, self.folder):
            _sync_folder(folder)
        return True

    def discard(self, upload: Upload) -> None:
        self._part(upload).unlink(missing_ok=True)

    def _part(self, upload: Upload) -> Path:
        return self.folder / f"{upload.id}.part"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
