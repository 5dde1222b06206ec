"""Receiving voice files in parts: each part is on disk before it is acknowledged, the whole is checked at the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backend.actor import Actor
from backend.storage import jobs, pool, rows, uploads
from domain import errors, tables, values

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

MOST_BYTES = 50 * 1024 * 1024
TRANSCRIBE = "transcribe"
GRACE = timedelta(seconds=15)
"""A device with a speech engine of its own gets to send its words first."""
_PATIENCE = timedelta(days=14)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"audio/[a-z0-9.+-]{1,60}|application/octet-stream")


class WrongOffsetError(errors.InputError):
    """The part does not begin where the file ends; `offset` says where to go on."""

    code = "wrong_offset"
    offset = 0


class WrongBytesError(errors.InputError):
    """What arrived is not what was announced; `offset` says where to go on."""

    code = "checksum"
    offset = 0


def _wrong_offset(offset: int) -> WrongOffsetError:
    fault = WrongOffsetError(
        "This part does not begin where the upload stands.", where="Upload-Offset", hint=f"Go on at {offset}."
    )
    fault.offset = offset
    return fault


def _wrong_bytes(offset: int, *, what: str) -> WrongBytesError:
    fault = WrongBytesError(
        f"The checksum of the {what} is wrong.", where="sha256", hint=f"Send again from {offset}."
    )
    fault.offset = offset
    return fault


async def create(deps: Deps, actor: Actor, said: uploads.Announced) -> uploads.Upload:
    """A place for the file; what is here already (of this person, or the same content) need not be sent again.

    Raises: InputError, ForbiddenError, NotFoundError.
    """
    _check(said)
    if said.location_id not in actor.locations:
        raise errors.ForbiddenError("You have no access to this location.", where="location_id")
    async with pool.transaction(deps.pool) as connection:
        note = await rows.get(connection, tables.NOTES, said.note_id)
        if note is not None and note.scope != said.location_id:
            raise errors.NotFoundError("There is no such note in this location.", where="note_id")
        upload = await uploads.begun(connection, user_id=actor.id, note_id=said.note_id, sha256=said.sha256)
        if upload is None:
            upload = await uploads.add(connection, said, user_id=actor.id)
        return await _up_to_date(deps, connection, upload)


def _check(said: uploads.Announced) -> None:
    for name, text in (("note_id", said.note_id), ("location_id", said.location_id)):
        if not values.is_id(text):
            raise errors.InputError(f"{name} is no UUID.", where=f"Upload-Metadata.{name}")
    if not _SHA256.fullmatch(said.sha256):
        raise errors.InputError("sha256 must be 64 hex digits.", where="Upload-Metadata.sha256")
    if not _MEDIA_TYPE.fullmatch(said.media_type):
        raise errors.InputError("Only audio is taken here.", where="Upload-Metadata.media_type")
    if said.size <= 0:
        raise errors.InputError("An empty file can't be uploaded.", where="Upload-Length")


async def find(deps: Deps, actor: Actor, upload_id: str) -> uploads.Upload:
    """This person's own upload. Raises: NotFoundError."""
    async with pool.transaction(deps.pool) as connection:
        upload = await uploads.lock(connection, upload_id) if values.is_id(upload_id) else None
        return await _up_to_date(deps, connection, _own(upload, actor))


async def receive(
    deps: Deps, actor: Actor, upload_id: str, *, offset: int, data: bytes, sha256: bytes | None
) -> uploads.Upload:
    """The next part. Raises: NotFoundError, WrongOffsetError, WrongBytesError, InputError, DiskFullError."""
    if sha256 is not None and not hmac.compare_digest(hashlib.sha256(data).digest(), sha256):
        raise _wrong_bytes(offset, what="part")
    async with pool.transaction(deps.pool) as connection:
        upload = await uploads.lock(connection, upload_id) if values.is_id(upload_id) else None
        upload = await _as_on_disk(deps, _own(upload, actor))
        if offset != upload.received or upload.done:
            raise _wrong_offset(upload.received)
        if offset + len(data) > upload.size:
            raise errors.InputError("More bytes than were announced.", where="Upload-Length")
        received = offset + len(data)
        try:
            await asyncio.to_thread(_files(deps).write, upload, offset, data)
            done = received == upload.size and await asyncio.to_thread(_files(deps).finish, upload)
        except OSError as fault:
            raise _not_kept(fault) from fault
        wrong = received == upload.size and not done
        if done:
            await _complete(connection, upload)
        else:
            await uploads.came(connection, upload.id, received=0 if wrong else received, done=False)
    if wrong:
        logger.warning("upload.wrong_checksum")
        raise _wrong_bytes(0, what="whole file")
    return replace(upload, received=received, done=done)


def _not_kept(fault: OSError) -> errors.DiskFullError:
    logger.error("upload.not_kept", extra={"fault": fault.strerror})
    return errors.DiskFullError(
        "The server can't keep the recording at this moment.",
        where="uploads",
        hint="It stays on the device; its disk is full or closed: tell the administrator.",
    )


async def open_file(deps: Deps, actor: Actor, id_or_sha256: str) -> tuple[uploads.Upload, Path]:
    """A complete file of this person's locations. Raises: NotFoundError."""
    name = id_or_sha256.lower()
    async with deps.pool.acquire() as connection:
        upload = (
            await uploads.finished(connection, location_ids=actor.locations, id_or_sha256=name)
            if values.is_id(name) or _SHA256.fullmatch(name)
            else None
        )
    path = _files(deps).whole(upload) if upload else None
    if upload is None or path is None or not await asyncio.to_thread(path.is_file):
        raise errors.NotFoundError("There is no such file, or none that you may hear.", where="uploads")
    return upload, path


async def forget_unfinished(deps: Deps) -> int:
    """Drop what was begun and not gone on with for two weeks; how many."""
    async with deps.pool.acquire() as connection:
        left = await uploads.forget_unfinished(connection, deps.clock.now() - _PATIENCE)
    for upload in left:
        await asyncio.to_thread(_files(deps).discard, upload)
    return len(left)


def path_of(deps: Deps, upload: uploads.Upload) -> Path:
    """Where a complete file lies."""
    return _files(deps).whole(upload)


def _own(upload: uploads.Upload | None, actor: Actor) -> uploads.Upload:
    if upload is None or upload.user_id != actor.id or upload.location_id not in actor.locations:
        raise errors.NotFoundError(
            "There is no such upload.", where="uploads", hint="Create it with POST /api/uploads."
        )
    return upload


async def _up_to_date(deps: Deps, connection: pool.Connection, upload: uploads.Upload) -> uploads.Upload:
    """Whole on disk, but unknown to be so: the same content came elsewhere, or the server was killed in between."""
    found = await _as_on_disk(deps, upload)
    if found.received == found.size and not found.done:
        await _complete(connection, found)
        return replace(found, done=True)
    return found


async def _complete(connection: pool.Connection, upload: uploads.Upload) -> None:
    await uploads.came(connection, upload.id, received=upload.size, done=True)
    await jobs.put(connection, TRANSCRIBE, upload.note_id, {"upload_id": upload.id}, after=GRACE)


async def _as_on_disk(deps: Deps, upload: uploads.Upload) -> uploads.Upload:
    """What the database remembers and what the disk holds can differ after a restored backup: the less counts."""
    there = await asyncio.to_thread(_files(deps).on_disk, upload)
    if there == upload.received:
        return upload
    return replace(upload, received=there, done=upload.done and there == upload.size)


def _files(deps: Deps) -> uploads.Files:
    return uploads.Files(folder=deps.settings.server_dir / "uploads")
