"""What the recordings' lane does to the store: which file is next, how far it came, what the server refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from domain import errors, tables
from storage import blobs, doomed, events, rows, scopes
from sync.effects import Device
from sync.files import Reached

logger = logging.getLogger(__name__)

TRIES = 3
"""So often a file that the server refuses is offered before a person must look."""
TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextFile:
    """The smallest file that waits, and may go now, those of `last` after the others; None = none."""

    metered: bool
    last: frozenset[str] = frozenset()

    def run(self, device: Device) -> blobs.Blob | None:
        return blobs.next_file(device.db, metered_ok=not self.metered, last=self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFile:
    """Is the recording still there, whole? Raises: InputError."""

    blob: blobs.Blob

    def run(self, device: Device) -> None:
        path = self.blob.path
        if not path.exists() or path.stat().st_size != self.blob.size:
            raise errors.InputError("The recording is no longer on this device.", where=path.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReached:
    """So much of a file is safe. All of it, and its note left this device meanwhile: then the file leaves as well."""

    blob: blobs.Blob
    reached: Reached

    def run(self, device: Device) -> None:
        with device.db.write_tx() as tx:
            blobs.progressed(tx, self.blob.id, url=self.reached.url, sent=self.reached.sent)
            if self.reached.sent >= self.blob.size:
                blobs.finished(tx, self.blob.id)
                if rows.get(tx, tables.NOTES, self.blob.note_id) is None:
                    doomed.add(tx, scopes.wipe_sent_blobs(tx, [self.blob.note_id]))
                logger.info("sync.uploaded", extra={"bytes": self.blob.size})
            if self.reached.most and self.reached.most != blobs.most_bytes(tx):
                blobs.put_most_bytes(tx, self.reached.most)
        doomed.sweep(device.db)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused:
    """Another offset than ours is asked for anew; anything else is tried three times, what is too large once."""

    blob: blobs.Blob
    fault: errors.JorgeError

    def run(self, device: Device) -> None:
        with device.db.write_tx() as tx:
            last = self.blob.attempts >= TRIES - 1 or self.fault.code == TOO_LARGE
            blobs.failed(tx, self.blob.id, self.fault.message, for_good=last)
            events.add(tx, "upload.refused", level="error", at=device.clock.now(), code=self.fault.code)
        logger.warning("sync.upload_refused", extra={"code": self.fault.code})
