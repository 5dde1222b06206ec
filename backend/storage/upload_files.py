"""The bytes of voice files, in files under one folder: parts on their way, and whole ones by location and content."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backend.storage.uploads import Upload


class Part:
    """An unfinished file, open and locked: one writer at a time, over all processes. Blocking: call in a thread."""

    def __init__(self, path: Path) -> None:
        """Raises: BlockingIOError when another writer has it; OSError."""
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise
        self.end = os.fstat(self._handle).st_size

    def begin_at(self, offset: int) -> None:
        """What lies beyond was never acknowledged: it is cut off."""
        os.ftruncate(self._handle, offset)
        self.end = offset

    def write(self, block: bytes) -> None:
        """Raises: OSError; `end` tells how far it came all the same."""
        rest = memoryview(block)
        while rest:
            written = os.pwrite(self._handle, rest, self.end)
            self.end += written
            rest = rest[written:]

    def sync(self) -> None:
        """What was written is on disk for good when this returns."""
        os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The folder of the bytes. Blocking: call in a thread."""

    folder: Path

    def whole(self, upload: Upload) -> Path:
        """Where a complete file lies: once for each location and content."""
        return self.folder / upload.location_id / upload.sha256

    def on_disk(self, upload: Upload, *, seen: bool) -> int:
        """How many bytes of what the database remembers are really there. `seen`: a file of the same content, which
        somebody else may have sent, counts as well."""
        if (seen or upload.done) and _size(self.whole(upload)) == upload.size:
            return upload.size
        return min(upload.received, _size(self._part(upload)) or 0)

    def open_part(self, upload: Upload) -> Part:
        """Raises: BlockingIOError when another request writes it; OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Part(self._part(upload))

    def finish(self, upload: Upload) -> bool:
        """All bytes came: are they the right ones? Then they move to their place, else they are thrown away."""
        whole, part = self.whole(upload), self._part(upload)
        with part.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == upload.sha256
        if not right or whole.is_file():
            part.unlink()
            return right
        whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.replace(whole)
        for folder in (whole.parent, self.folder):
            _sync_folder(folder)
        return True

    def take_from(self, upload: Upload, location_ids: Iterable[str]) -> bool:
        """The same content out of another location that the person may see: a second name for the same bytes."""
        whole = self.whole(upload)
        for location_id in location_ids:
            other = self.folder / location_id / upload.sha256
            if other != whole and _size(other) == upload.size:
                whole.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                whole.unlink(missing_ok=True)
                os.link(other, whole)
                return True
        return False

    def has_room(self, size: int) -> bool:
        """`size` bytes fit, and the database beside them has air to breathe."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(self.folder).free >= size + _KEPT_FREE

    def discard(self, upload: Upload) -> None:
        self._part(upload).unlink(missing_ok=True)

    def _part(self, upload: Upload) -> Path:
        return self.folder / f"{upload.id}.part"


_KEPT_FREE = 64 * 1024 * 1024


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
