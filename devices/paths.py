"""Where this device keeps things: one data folder, and in it one folder a signed-in user."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SAFE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
_WINDOWS_DEVICES = frozenset({"con", "prn", "aux", "nul"})
_APP = "jorge-bi"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPaths:
    """Everything of one user; nothing of another is ever below it."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    @property
    def recordings(self) -> Path:
        return self.folder / "recordings"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    def make(self) -> UserPaths:
        """Creates the folders, readable by this account only."""
        for folder in (self.folder, self.recordings, self.exports):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The data folder of this installation."""

    root: Path

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def device_secrets(self) -> Path:
        return self.root / "device.json"

    def user(self, user_id: str) -> UserPaths:
        return UserPaths(folder=self.root / "users" / folder_name(user_id))


def find(environ: Mapping[str, str], *, home: Path, platform: str = sys.platform) -> Paths:
    """JORGE_DATA_DIR, else the folder that Flet keeps for the app, else the platform's place for such data."""
    for name in ("JORGE_DATA_DIR", "FLET_APP_STORAGE_DATA"):
        if value := environ.get(name, "").strip():
            return Paths(root=Path(value).expanduser().absolute())
    return Paths(root=_platform_folder(environ, home, platform))


def folder_name(user_id: str) -> str:
    """A user's id as a folder name; an id that could climb out of the data folder, or clash, becomes its hash."""
    plain = _SAFE.match(user_id) and user_id == user_id.lower() and user_id not in _WINDOWS_DEVICES
    return user_id if plain else "u_" + hashlib.sha256(user_id.encode()).hexdigest()[:40]


def _platform_folder(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / _APP
    if platform == "darwin":
        return home / "Library" / "Application Support" / _APP
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / _APP
