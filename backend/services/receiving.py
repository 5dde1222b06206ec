"""Bytes of a voice file coming in: on disk before they are acknowledged, and kept up to the byte where a line is cut."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from backend.actor import Actor
from backend.services import uploads
from backend.storage import pool, upload_files
from backend.storage import uploads as stored

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_SAVE_EVERY = uploads.MEGABYTE
_LEAVES_WITHIN = 5.0
_AGAIN_SECONDS = 2.0


class WrongOffsetError(uploads.UploadError):
    """The part does not begin where the file ends; `offset` says where to go on."""

    code = "wrong_offset"


class WrongBytesError(uploads.UploadError):
    """What arrived is not what was announced; `offset` says where to go on."""

    code = "checksum"


class TooLongError(uploads.UploadError):
    """More bytes than the file was announced to have; nothing of the part is kept, `offset` says where to go on."""

    code = "too_long"


class LockedError(uploads.UploadError):
    """Another request sends to this upload at this moment."""

    code = "locked"


def _wrong_offset(offset: int) -> WrongOffsetError:
    return WrongOffsetError(
        "This part does not begin where the upload stands.", where="Upload-Offset", hint=f"Go on at {offset}."
    ).at(offset)


def _wrong_bytes(offset: int, *, what: str) -> WrongBytesError:
    return WrongBytesError(
        f"The checksum of the {what} is wrong.", where="sha256", hint=f"Send again from {offset}."
    ).at(offset)


def _too_long(offset: int, size: int) -> TooLongError:
    return TooLongError(
        f"This part goes beyond the {size} bytes that were announced; nothing of it is kept.",
        where="Upload-Length",
        hint=f"Send again from {offset}, not beyond the end; or create an upload of the right length.",
    ).at(offset)


def _locked() -> LockedError:
    return LockedError(
        "Another request sends to this upload.",
        where="uploads",
        hint="Ask for its offset in a moment and go on there.",
        retry_after=_AGAIN_SECONDS,
    )


@dataclass(slots=True)
class _Sender:
    """One request that sends to an upload. A newer one shows it the door: its line is most likely dead."""

    sent_away: bool = False
    pause: asyncio.Timeout | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def next_of(self, blocks: AsyncIterator[bytes]) -> bytes:
        """b"" at the end. Raises: LockedError when sent away, and whatever a cut line raises."""
        if self.sent_away:
            raise _locked()
        try:
            async with asyncio.timeout(None) as self.pause:
                return await anext(blocks, b"")
        except TimeoutError as fault:
            if not self.sent_away:
                raise
            raise _locked() from fault
        finally:
            self.pause = None

    def send_away(self) -> None:
        self.sent_away = True
        if self.pause is not None:
            self.pause.reschedule(0.0)


class Doors:
    """Who sends to which upload, in this process. Other processes are told apart by the lock on the file."""

    def __init__(self) -> None:
        self._inside: dict[str, _Sender] = {}

    @asynccontextmanager
    async def enter(self, upload_id: str) -> AsyncIterator[_Sender]:
        """Alone in here. The newest request goes first: phones change networks and leave dead lines behind.

        Raises: LockedError when the other one does not leave.
        """
        if (other := self._inside.get(upload_id)) is not None:
            other.send_away()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVES_WITHIN):
                    await other.gone.wait()
        if upload_id in self._inside:
            raise _locked()
        self._inside[upload_id] = sender = _Sender()
        try:
            yield sender
        finally:
            del self._inside[upload_id]
            sender.gone.set()


async def receive(
    deps: Deps,
    actor: Actor,
    upload_id: str,
    *,
    offset: int,
    blocks: AsyncIterator[bytes],
    sha256: bytes | None,
    length: int = 0,
) -> stored.Upload:
    """The next part, as it comes. What arrived before a cut is kept. `length`: as announced, 0 where it was not.

    Raises: NotFoundError, ExpiredError, WrongOffsetError, TooLongError, WrongBytesError, LockedError, DiskFullError.
    """
    await uploads.find(deps, actor, upload_id)  # before a stranger can send anybody away
    async with deps.receiving.enter(upload_id) as sender:
        upload = await uploads.find(deps, actor, upload_id)  # the sender before us may have come further
        if offset != upload.received or upload.done:
            raise _wrong_offset(upload.received)
        if offset + length > upload.size:
            raise _too_long(offset, upload.size)
        part = await _with_files(uploads.files(deps).open_part, upload)
        try:
            return await _Coming(deps=deps, upload=upload, part=part, sender=sender).run(blocks, sha256)
        finally:
            await asyncio.to_thread(part.close)


async def _with_files(call: Callable[..., _T], *args: object) -> _T:
    """In a thread that a cancelled request waits for. Raises: LockedError, DiskFullError."""
    work = asyncio.create_task(asyncio.to_thread(call, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise
    except BlockingIOError as fault:
        raise _locked() from fault
    except OSError as fault:
        raise uploads.not_kept(fault) from fault


@dataclass(slots=True, kw_only=True)
class _Coming:
    """One part of one upload on its way in. `saved` bytes are on disk for good and known to be so."""

    deps: Deps
    upload: stored.Upload
    part: upload_files.Part
    sender: _Sender
    saved: int = 0

    async def run(self, blocks: AsyncIterator[bytes], sha256: bytes | None) -> stored.Upload:
        begin = self.saved = self.upload.received
        await _with_files(self.part.begin_at, begin)
        try:
            digest = await self._write(blocks)
        except TooLongError:
            await _with_files(self.part.begin_at, begin)
            await self._stands_at(begin)
            raise
        finally:
            # Whatever ended it, a dead line or a stop of the server: what came stays.
            await asyncio.shield(self._save())
        if sha256 is not None and not hmac.compare_digest(digest, sha256):
            await self._stands_at(begin)
            raise _wrong_bytes(begin, what="part")
        if self.part.end < self.upload.size:
            return replace(self.upload, received=self.part.end, touched_at=self.deps.clock.now())
        return await self._finish()

    async def _write(self, blocks: AsyncIterator[bytes]) -> bytes:
        """The part's SHA-256."""
        digest = hashlib.sha256()
        while block := await self.sender.next_of(blocks):
            if self.part.end + len(block) > self.upload.size:
                raise _too_long(self.upload.received, self.upload.size)
            digest.update(block)
            await _with_files(self.part.write, block)
            if self.part.end - self.saved >= _SAVE_EVERY:
                await self._save()
        return digest.digest()

    async def _save(self) -> None:
        """A file of which all came is not counted before it was checked: killed here, the server asks for a piece again."""
        if self.saved < self.part.end < self.upload.size:
            await _with_files(self.part.sync)
            await self._stands_at(self.part.end)

    async def _stands_at(self, offset: int) -> None:
        async with pool.transaction(self.deps.pool) as connection:
            await stored.came(connection, self.upload.id, received=offset, at=self.deps.clock.now())
        self.saved = offset

    async def _finish(self) -> stored.Upload:
        await _with_files(self.part.sync)
        if not await _with_files(uploads.files(self.deps).finish, self.upload):
            logger.warning("upload.wrong_checksum")
            await self._stands_at(0)
            raise _wrong_bytes(0, what="whole file")
        async with pool.transaction(self.deps.pool) as connection:
            await uploads.complete(self.deps, connection, self.upload)
        return replace(self.upload, received=self.upload.size, done=True)
