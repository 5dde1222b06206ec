"""Voice files on their way: how far each has come. Their bytes are in upload_files.py."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain import ids, values

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """`received` bytes are on disk for good; `done` = complete and its checksum right.

    `touched_at`: when the last byte came; `expired` = nobody went on with it, its bytes are gone.
    """

    id: str
    user_id: str
    location_id: str
    note_id: str
    sha256: str
    size: int
    received: int
    media_type: str
    done: bool
    touched_at: datetime
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What a device says about a file before it sends it."""

    note_id: str
    location_id: str
    sha256: str
    size: int
    media_type: str


async def add(connection: Connection, said: Announced, *, user_id: str, at: datetime) -> Upload:
    row = await connection.fetchrow(
        """INSERT INTO uploads (id, user_id, location_id, note_id, sha256, size, media_type, touched_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *""",
        ids.new_id(),
        user_id,
        said.location_id,
        said.note_id,
        said.sha256,
        said.size,
        said.media_type,
        at,
    )
    assert row is not None
    return _upload(row)


async def begun(connection: Connection, said: Announced, *, user_id: str) -> Upload | None:
    """The same file of the same note, begun before by the same person: its creation was answered into the void."""
    row = await connection.fetchrow(
        """SELECT * FROM uploads WHERE user_id = $1 AND note_id = $2 AND sha256 = $3 AND location_id = $4
           AND size = $5 AND expired_at IS NULL ORDER BY created_at LIMIT 1""",
        user_id,
        said.note_id,
        said.sha256,
        said.location_id,
        said.size,
    )
    return _upload(row) if row else None


async def used_bytes(connection: Connection, said: Announced, *, user_id: str) -> int:
    """What this person's other files take, unfinished ones as large as announced; each content once a location."""
    found: int = await connection.fetchval(
        """SELECT coalesce(sum(size), 0)::bigint FROM (
               SELECT DISTINCT location_id, sha256, size FROM uploads WHERE user_id = $1 AND expired_at IS NULL
               AND NOT (location_id = $2 AND sha256 = $3)) AS files""",
        user_id,
        said.location_id,
        said.sha256,
    )
    return found


async def finished(
    connection: Connection,
    *,
    location_ids: Collection[str],
    id_or_sha256: str = "",
    note_id: str | None = None,
) -> Upload | None:
    """A complete upload of these locations, by its id or content, or by its note.

    It is where its note is by now (before the note came: where it was announced), and gone with a deleted note.
    """
    row = await connection.fetchrow(
        """SELECT u.* FROM uploads AS u LEFT JOIN notes AS n ON n.id = u.note_id
           WHERE coalesce(n.location_id, u.location_id) = ANY($1::uuid[]) AND n._deleted_at IS NULL
           AND u.done_at IS NOT NULL AND (u.id = $2 OR u.sha256 = $3 OR u.note_id = $4)
           ORDER BY u.created_at LIMIT 1""",
        list(location_ids),
        id_or_sha256 if values.is_id(id_or_sha256) else None,
        id_or_sha256,
        note_id,
    )
    return _upload(row) if row else None


async def find(connection: Connection, upload_id: str) -> Upload | None:
    row = await connection.fetchrow("SELECT * FROM uploads WHERE id = $1", upload_id)
    return _upload(row) if row else None


async def came(
    connection: Connection, upload_id: str, *, received: int, done: bool = False, at: datetime
) -> None:
    """`received` bytes are on disk for good."""
    await connection.execute(
        "UPDATE uploads SET received = $2, touched_at = $4::timestamptz, done_at = CASE WHEN $3 THEN $4::timestamptz END WHERE id = $1",
        upload_id,
        received,
        done,
        at,
    )


async def expire(connection: Connection, before: datetime, at: datetime) -> list[Upload]:
    """Uploads that nobody goes on with. Their lines stay for a while, so that a late device hears why."""
    rows = await connection.fetch(
        """UPDATE uploads SET expired_at = $2, received = 0
           WHERE done_at IS NULL AND expired_at IS NULL AND touched_at < $1 RETURNING *""",
        before,
        at,
    )
    return [_upload(row) for row in rows]


async def of_deleted_notes(connection: Connection, before: datetime) -> list[Upload]:
    """Uploads whose notes were deleted before then."""
    rows = await connection.fetch(
        "SELECT u.* FROM uploads AS u JOIN notes AS n ON n.id = u.note_id WHERE n._deleted_at < $1", before
    )
    return [_upload(row) for row in rows]


async def forget(connection: Connection, upload: Upload) -> bool:
    """Drop its line; was it the last of this content and place? In a transaction that holds the content."""
    await connection.execute("DELETE FROM uploads WHERE id = $1", upload.id)
    others = await connection.fetchval(
        "SELECT count(*) FROM uploads WHERE location_id = $1 AND sha256 = $2",
        upload.location_id,
        upload.sha256,
    )
    return not others


async def hold_content(connection: Connection, sha256: str) -> None:
    """Until the end of this transaction nobody else begins or forgets an upload of this content."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", sha256)


async def forget_expired(connection: Connection, before: datetime) -> None:
    await connection.execute("DELETE FROM uploads WHERE expired_at < $1", before)


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
        touched_at=row["touched_at"],
        expired=row["expired_at"] is not None,
    )
