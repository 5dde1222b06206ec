"""Four megabytes beside the store that are given up when the disk is full, so that what a person just did is still saved."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

SIZE = 4 << 20
_ROOM = 4 * SIZE
"""Free bytes from which on the ballast may be made again."""


def file_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.ballast")


def is_low(store: Path) -> bool:
    """Is there less room on the disk than one ballast? The screen asks to free some."""
    return _free(store) < SIZE


def load(store: Path) -> bool:
    """Make the ballast (again) where there is room for more than it; is it there?"""
    file = file_of(store)
    with suppress(OSError):
        if file.exists() and file.stat().st_size == SIZE:
            return True
        if _free(store) >= _ROOM:
            # Not zeros: some file systems store those in no room at all.
            file.write_bytes(b"ballast\n" * (SIZE // 8))
            return True
    return False


def give_up(store: Path) -> bool:
    """Drop the ballast; was there any?"""
    try:
        file_of(store).unlink()
    except OSError:
        return False
    return True


def lend(store: Path) -> bool:
    """Before a commit: drop the ballast if the disk is nearly full; was it dropped?"""
    return is_low(store) and give_up(store)


def _free(store: Path) -> int:
    """Without an answer of the system nobody is alarmed. Asked with each write: a Path takes longer than the system."""
    try:
        return shutil.disk_usage(os.path.dirname(store)).free
    except OSError:
        return _ROOM
