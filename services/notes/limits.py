"""How large and how long a recording may be, and how much room it needs: said before, or in time to stop and keep it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from domain import errors
from services.desk import Desk
from services.settings import Settings
from storage import blobs

MEGABYTE = 1024 * 1024
ROOM_TO_BEGIN = 20 * MEGABYTE
ROOM_TO_GO_ON = 5 * MEGABYTE
MARGIN = MEGABYTE // 2
"""A stereo microphone of a browser brings 0.2 MB between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`most_bytes`: what the server takes; `minutes`: this person's setting."""

    most_bytes: int
    minutes: int

    def reached(self, path: Path, seconds: float) -> str:
        """Why a recording of so many seconds must end now, in a sentence; empty = it may go on."""
        if seconds >= self.minutes * 60:
            return f"The recording was stopped after {self.minutes} min, as your settings say. It is kept."
        size = path.stat().st_size if path.exists() else 0
        if size >= self.most_bytes - MARGIN:
            return (
                f"The recording was stopped at {_mb(self.most_bytes)}: the server takes no more. It is kept."
            )
        if room(path.parent) < ROOM_TO_GO_ON:
            return "The recording was stopped: this device is full. It is kept."
        return ""

    def left(self, path: Path, seconds: float) -> float:
        """Seconds that it may still go on, by the clock and by the bytes so far."""
        by_clock = self.minutes * 60 - seconds
        size = path.stat().st_size if path.exists() else 0
        if size < MEGABYTE or seconds < 1:
            return by_clock
        return min(by_clock, (self.most_bytes - MARGIN - size) / (size / seconds))


def of(desk: Desk) -> Limits:
    return Limits(most_bytes=blobs.most_bytes(desk.db), minutes=Settings(desk=desk).read().recording_minutes)


def check_room(folder: Path, size: int = ROOM_TO_BEGIN) -> None:
    """Raises: DiskFullError saying how much is needed and how much is there."""
    free = room(folder)
    if free < size:
        raise errors.DiskFullError(
            f"This device has {_mb(free)} free; a recording needs {_mb(size)}.",
            where="recordings",
            hint="Free some space and try again.",
        )


def check_picked(source: Path | bytes, name: str, desk: Desk) -> None:
    """Before anything is copied. Raises: AudioError for a file that is too large, DiskFullError."""
    if isinstance(source, Path) and not source.exists():
        return  # copying says it better
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    most = blobs.most_bytes(desk.db)
    if size > most:
        raise errors.AudioError(
            f"This file has {_mb(size)}; a recording may have {_mb(most)} at most.",
            where=Path(name).name,
            hint="Cut it into shorter pieces, or save it in a smaller format, and pick it again.",
        )
    check_room(desk.db.path.parent, size + ROOM_TO_GO_ON)


def room(folder: Path) -> int:
    """Bytes free where `folder` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f}".removesuffix(".0") + " MB"
