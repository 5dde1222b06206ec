"""Voice files: announced, looked after, handed out and forgotten. How their bytes come in: receiving.py."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from backend.actor import Actor
from backend.services.rights import Rights
from backend.storage import jobs, pool, rows, upload_files, uploads
from backend.storage.pg_store import PgStore
from domain import errors, tables, values

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
TRANSCRIBE = "transcribe"
GRACE = timedelta(seconds=15)
"""A device with a speech engine of its own gets to send its words first."""
PATIENCE = timedelta(days=7)
"""An unfinished upload that gets no byte for so long is dropped; the device begins anew."""
_REGRET = timedelta(days=30)
"""A deleted note may be brought back; after so long its recording leaves the disk."""
_TOMBSTONE = timedelta(days=90)
_ROOM_AGAIN_SECONDS = 60.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"audio/[a-z0-9.+-]{1,60}|application/octet-stream")


class UploadError(errors.InputError):
    """Something of an upload is not as announced. `offset` = where to go on, where that helps."""

    offset: int | None = None

    def at(self, offset: int) -> Self:
        """The same, saying where to go on."""
        self.offset = offset
        return self


class TooLargeError(UploadError):
    """The file is larger than the server takes, or this person has used their room."""

    code = "too_large"


class ExpiredError(UploadError):
    """Nobody went on with this upload for a week: its bytes are gone."""

    code = "upload_expired"


async def create(deps: Deps, actor: Actor, said: uploads.Announced) -> uploads.Upload:
    """A place for the file; what is here already (of this person, or the same content) need not be sent again.

    Raises: InputError, TooLargeError, ForbiddenError, NotFoundError, DiskFullError.
    """
    _check(deps, said)
    async with pool.transaction(deps.pool) as connection:
        said = await _placed(deps, connection, actor, said)
        await uploads.hold_content(connection, said.sha256)
        upload = await uploads.begun(connection, said, user_id=actor.id)
        if upload is None:
            await _check_room(deps, connection, actor, said)
            upload = await uploads.add(connection, said, user_id=actor.id, at=deps.clock.now())
        await asyncio.to_thread(_known_content, files(deps), upload, actor)
        return await _up_to_date(deps, connection, upload, actor)


async def _placed(
    deps: Deps, connection: pool.Connection, actor: Actor, said: uploads.Announced
) -> uploads.Announced:
    """Where to keep it, and for which note. Raises: ForbiddenError, NotFoundError."""
    note = await rows.get(connection, tables.NOTES, said.note_id)
    here = said.location_id in actor.locations
    if note is not None and (note.scope != said.location_id or not here):
        if await _may_add(deps, connection, actor, note):
            return replace(said, location_id=note.scope)
        if here and (note.scope in actor.locations or note.values["agent_id"] == actor.id):
            raise errors.NotFoundError("There is no such note in this location.", where="note_id")
    if not here:
        raise errors.ForbiddenError("You have no access to this location.", where="location_id")
    if note is not None and note.scope != said.location_id:
        # The note of an office that they don't see: as with an id that there is not, and nothing for that office.
        return replace(said, note_id=str(uuid.uuid5(uuid.UUID(said.note_id), actor.id)))
    return said


async def _may_add(deps: Deps, connection: pool.Connection, actor: Actor, note: rows.Stored) -> bool:
    """Moved, or the location was taken away meanwhile: its author's recording is taken all the same."""
    lead_id = note.values["lead_id"]
    lead = await rows.get(connection, tables.LEADS, lead_id) if lead_id else None
    now_ms = int(deps.clock.now().timestamp() * 1000)
    rights = Rights(store=PgStore(connection), actor=actor, now_ms=now_ms)
    return await rights.might_add_file(note, lead)


def _known_content(folder: upload_files.Files, upload: uploads.Upload, actor: Actor) -> None:
    """Only out of locations that this person may see: that a file exists elsewhere must not show."""
    if upload.location_id not in actor.locations:
        return
    try:
        if folder.on_disk(upload, seen=True) < upload.size:
            folder.take_from(upload, sorted(actor.locations))
    except OSError as fault:  # then it is sent
        logger.warning("upload.not_linked", extra={"fault": fault.strerror})


def _check(deps: Deps, said: uploads.Announced) -> None:
    for name, text in (("note_id", said.note_id), ("location_id", said.location_id)):
        if not values.is_id(text):
            raise errors.InputError(f"{name} is no UUID.", where=f"Upload-Metadata.{name}")
    if not _SHA256.fullmatch(said.sha256):
        raise errors.InputError("sha256 must be 64 hex digits.", where="Upload-Metadata.sha256")
    if not _MEDIA_TYPE.fullmatch(said.media_type):
        raise errors.InputError("Only audio is taken here.", where="Upload-Metadata.media_type")
    if said.size <= 0:
        raise errors.InputError("An empty file can't be uploaded.", where="Upload-Length")
    if said.size > deps.settings.upload_max_mb * MEGABYTE:
        raise TooLargeError(
            f"A recording may have {deps.settings.upload_max_mb} MB at most; this one has"
            f" {said.size / MEGABYTE:.1f} MB.",
            where="Upload-Length",
            hint="Record in shorter pieces.",
        )


async def _check_room(deps: Deps, connection: pool.Connection, actor: Actor, said: uploads.Announced) -> None:
    """Of this person, and of the disk."""
    quota = deps.settings.upload_quota_mb * MEGABYTE
    used = await uploads.used_bytes(connection, said, user_id=actor.id)
    if used + said.size > quota:
        raise TooLargeError(
            f"Your recordings take {used // MEGABYTE} of {quota // MEGABYTE} MB on the server: this one does not fit.",
            where="quota",
            hint="It stays on this device. Ask the administrator for more room, or delete recordings.",
        )
    try:
        fits = await asyncio.to_thread(files(deps).has_room, said.size)
    except OSError as fault:
        raise not_kept(fault) from fault
    if not fits:
        raise not_kept(OSError(28, "No space left on device"))


def not_kept(fault: OSError) -> errors.DiskFullError:
    logger.error("upload.not_kept", extra={"fault": fault.strerror})
    return errors.DiskFullError(
        "The server can't keep the recording at this moment.",
        where="uploads",
        hint="It stays on the device; its disk is full or closed: tell the administrator.",
        retry_after=_ROOM_AGAIN_SECONDS,
    )


async def find(deps: Deps, actor: Actor, upload_id: str) -> uploads.Upload:
    """This person's own upload. Raises: NotFoundError, ExpiredError."""
    async with pool.transaction(deps.pool) as connection:
        upload = await uploads.find(connection, upload_id) if values.is_id(upload_id) else None
        return await _up_to_date(deps, connection, await _own(deps, connection, upload, actor), actor)


async def _may_go_on(deps: Deps, connection: pool.Connection, actor: Actor, upload: uploads.Upload) -> bool:
    note = await rows.get(connection, tables.NOTES, upload.note_id)
    return note is not None and await _may_add(deps, connection, actor, note)


async def _own(
    deps: Deps, connection: pool.Connection, upload: uploads.Upload | None, actor: Actor
) -> uploads.Upload:
    """Raises: NotFoundError, ExpiredError."""
    if (
        upload is None
        or upload.user_id != actor.id
        or not (upload.location_id in actor.locations or await _may_go_on(deps, connection, actor, upload))
    ):
        raise errors.NotFoundError(
            "There is no such upload.", where="uploads", hint="Create it with POST /api/uploads."
        )
    if upload.expired:
        raise ExpiredError(
            "This upload was given up: nothing came for a week.",
            where="uploads",
            hint="Create it anew with POST /api/uploads and send it from the start.",
        )
    return upload


def expires_at(upload: uploads.Upload) -> datetime | None:
    """When an unfinished upload is dropped, unless more of it comes."""
    return None if upload.done else upload.touched_at + PATIENCE


async def open_file(deps: Deps, actor: Actor, id_or_sha256: str) -> tuple[uploads.Upload, Path]:
    """A complete file of this person's locations. Raises: NotFoundError."""
    name = id_or_sha256.lower()
    async with deps.pool.acquire() as connection:
        upload = (
            await uploads.finished(connection, location_ids=actor.locations, id_or_sha256=name)
            if values.is_id(name) or _SHA256.fullmatch(name)
            else None
        )
    path = files(deps).whole(upload) if upload else None
    if upload is None or path is None or not await asyncio.to_thread(path.is_file):
        raise errors.NotFoundError("There is no such file, or none that you may hear.", where="uploads")
    return upload, path


async def forget_old(deps: Deps) -> int:
    """Drop what was begun and not gone on with, and recordings of notes deleted long ago; how many."""
    now = deps.clock.now()
    async with deps.pool.acquire() as connection:
        left = await uploads.expire(connection, now - PATIENCE, now)
        await uploads.forget_expired(connection, now - _TOMBSTONE)
    for upload in left:
        await asyncio.to_thread(files(deps).discard, upload)
    return len(left) + await _forget_deleted(deps, now)


async def _forget_deleted(deps: Deps, now: datetime) -> int:
    async with deps.pool.acquire() as connection:
        gone = await uploads.of_deleted_notes(connection, now - _REGRET)
    for upload in gone:
        async with pool.transaction(deps.pool) as connection:
            await uploads.hold_content(connection, upload.sha256)
            if await uploads.forget(connection, upload):
                await asyncio.to_thread(files(deps).whole(upload).unlink, missing_ok=True)
        await asyncio.to_thread(files(deps).discard, upload)
    return len(gone)


def path_of(deps: Deps, upload: uploads.Upload) -> Path:
    """Where a complete file lies."""
    return files(deps).whole(upload)


async def _up_to_date(
    deps: Deps, connection: pool.Connection, upload: uploads.Upload, actor: Actor
) -> uploads.Upload:
    """Whole on disk, but unknown to be so: the same content came elsewhere, or the server was killed in between.

    Of a location that they don't see nothing shows but what they sent themselves.
    """
    found = await _as_on_disk(deps, upload, seen=upload.location_id in actor.locations)
    if found.received == found.size and not found.done:
        await complete(deps, connection, found)
        return replace(found, done=True)
    return found


async def complete(deps: Deps, connection: pool.Connection, upload: uploads.Upload) -> None:
    """The file is in its place: a note that waits for words gets them."""
    await uploads.came(connection, upload.id, received=upload.size, done=True, at=deps.clock.now())
    await jobs.put(connection, TRANSCRIBE, upload.note_id, {"upload_id": upload.id}, after=GRACE)


async def _as_on_disk(deps: Deps, upload: uploads.Upload, *, seen: bool) -> uploads.Upload:
    """What the database remembers and what the disk holds can differ after a restored backup: the less counts."""
    there = await asyncio.to_thread(files(deps).on_disk, upload, seen=seen)
    if there == upload.received:
        return upload
    return replace(upload, received=there, done=upload.done and there == upload.size)


def files(deps: Deps) -> upload_files.Files:
    return upload_files.Files(folder=deps.settings.server_dir / "uploads")
