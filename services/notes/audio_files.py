"""Recordings as files beside the store: copied first, then measured, then written down."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from domain import errors

_TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".webm": "audio/webm",
    ".flac": "audio/flac",
}
_OTHER = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFile:
    """A file on disk: where, its checksum, bytes, type, and seconds where something could tell."""

    path: Path
    sha256: str
    size: int
    media_type: str
    seconds: float | None


def folder(store: Path) -> Path:
    """Beside the person's own store, so that nobody else's app finds it."""
    return store.parent / "audio"


def measured(path: Path, seconds: float | None) -> AudioFile:
    """Reads the file once. Raises: AudioError when it is not there or empty."""
    try:
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as fault:
        raise errors.AudioError(
            "The recording can't be read.", where=path.name, hint="Record again, or pick the file again."
        ) from fault
    if not size:
        raise errors.AudioError("The recording is empty.", where=path.name, hint="Record again.")
    media_type = _TYPES.get(path.suffix.lower(), _OTHER)
    return AudioFile(path=path, sha256=checksum, size=size, media_type=media_type, seconds=seconds)


def copy_in(source: Path | bytes, target: Path) -> None:
    """Raises: AudioError where the source can't be read, DiskFullError where there is no room."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
    except FileNotFoundError as fault:
        raise errors.AudioError(
            "The picked file is not there (any more).", where=target.name, hint="Pick it again."
        ) from fault
    except OSError as fault:
        target.unlink(missing_ok=True)
        raise errors.DiskFullError(
            "The recording can't be copied to this device.",
            where=target.name,
            hint="Free some space and pick it again; the original is untouched.",
        ) from fault


def recordings(folder: Path) -> list[Path]:
    """Files that are named by a note's id, the oldest first."""
    found = folder.glob("????????-????-????-????-????????????.*")
    return sorted(path for path in found if path.suffix in _TYPES)


def suffix_of(name: str) -> str:
    """The ending that the copy keeps; nothing else of a stranger's file name is used."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix in _TYPES else ".bin"
