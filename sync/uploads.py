"""Voice files up, in parts (tus 1.0): what arrived is never sent again, and rows never wait for it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from domain import errors, ports
from storage import blobs, database, events
from sync import answers, client

logger = logging.getLogger(__name__)

PATH = "/api/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
FIRST_CHUNK = 256 * 1024
SMALLEST, LARGEST = 32 * 1024, 4 * 1024 * 1024


def next_chunk(size: int, seconds: float) -> int:
    """Parts that take between half a second and three: small on a bad line, so that little is lost by a cut."""
    if seconds > 3.0:
        size //= 2
    elif seconds < 0.5:
        size *= 2
    return max(SMALLEST, min(size, LARGEST))


def metadata(blob: blobs.Blob) -> str:
    """tus' Upload-Metadata: names and base64 values."""
    said = {
        "note_id": blob.note_id,
        "location_id": blob.location_id,
        "sha256": blob.sha256,
        "filetype": blob.media_type,
    }
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


@dataclass(slots=True, kw_only=True)
class Uploads:
    db: database.Database
    line: client.Client
    clock: ports.Clock
    chunk: int = FIRST_CHUNK
    _agreed: set[str] = field(default_factory=set)  # files whose offset the server confirmed in this run

    async def step(self) -> bool:
        """One part of one file; False = nothing waits.

        Raises: NetworkError, AccessError. A file that can't be sent is marked, and the next one has its turn.
        """
        waiting = blobs.waiting(self.db, limit=1)
        if not waiting:
            return False
        try:
            await self._part(waiting[0])
        except (errors.NetworkError, errors.AccessError):
            self._agreed.discard(waiting[0].id)
            raise
        except errors.InputError as fault:
            self._agreed.discard(waiting[0].id)
            self._refused(waiting[0], fault)
        return True

    async def _part(self, blob: blobs.Blob) -> None:
        if blob.id not in self._agreed:
            blob = await self._agree(blob)
        if blob.sent >= blob.size:
            self._finish(blob)
            return
        part = await asyncio.to_thread(_read, blob.path, blob.sent, self.chunk)
        began = self.clock.monotonic()
        answer = await self._request("PATCH", blob.url, _offset(blob.sent, part), part)
        self.chunk = next_chunk(self.chunk, self.clock.monotonic() - began)
        self._progress(blob, url=blob.url, sent=_said_offset(answer))

    async def _agree(self, blob: blobs.Blob) -> blobs.Blob:
        """Begin the upload, or ask how far it came before the last cut."""
        url, sent = blob.url, 0
        if url:
            try:
                sent = _said_offset(await self._request("HEAD", url, {}))
            except (errors.NotFoundError, errors.ResyncError, errors.NotOurServerError):
                url = ""  # the server forgot it: from the start
        if not url:
            if blob.path.stat().st_size != blob.size if blob.path.exists() else True:
                raise errors.InputError("The recording is no longer on this device.", where=blob.path.name)
            headers = {"Upload-Length": str(blob.size), "Upload-Metadata": metadata(blob)}
            answer = await self._request("POST", PATH, headers)
            url, sent = _location(answer), int(answer.headers.get("upload-offset", "0"))
        self._agreed.add(blob.id)
        self._progress(blob, url=url, sent=sent)
        fresh = blobs.of_note(self.db, blob.note_id)
        return fresh or blob

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Response:
        return await self.line.request(method, url, headers={**TUS, **headers}, content=content)

    def _progress(self, blob: blobs.Blob, *, url: str, sent: int) -> None:
        with self.db.write_tx() as tx:
            blobs.progressed(tx, blob.id, url=url, sent=sent)
        if sent >= blob.size:
            self._finish(blob)

    def _finish(self, blob: blobs.Blob) -> None:
        self._agreed.discard(blob.id)
        with self.db.write_tx() as tx:
            blobs.finished(tx, blob.id)
        logger.info("sync.uploaded", extra={"bytes": blob.size})

    def _refused(self, blob: blobs.Blob, fault: errors.InputError) -> None:
        """Another offset than ours is asked for anew; anything else is tried three times."""
        with self.db.write_tx() as tx:
            blobs.failed(tx, blob.id, fault.message, for_good=blob.attempts >= 2)
            events.add(tx, "upload.refused", level="error", at=self.clock.now(), code=fault.code)
        logger.warning("sync.upload_refused", extra={"code": fault.code})


def _offset(sent: int, part: bytes) -> dict[str, str]:
    return {
        "Upload-Offset": str(sent),
        "Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(part).digest()).decode()}",
        "Content-Type": "application/offset+octet-stream",
    }


def _said_offset(answer: httpx.Response) -> int:
    try:
        return int(answer.headers["upload-offset"])
    except (KeyError, ValueError) as fault:
        raise answers.not_ours("no Upload-Offset") from fault


def _location(answer: httpx.Response) -> str:
    where = httpx.URL(answer.headers.get("location", ""))
    if not where.path.startswith(PATH):
        raise answers.not_ours("no Location")
    return where.path


def _read(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)
    except OSError as fault:
        raise errors.InputError("The recording is no longer on this device.", where=path.name) from fault
