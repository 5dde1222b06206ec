"""What this person chose on this device: look, radius, home place, speech model."""

from __future__ import annotations

from dataclasses import dataclass

from domain import ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Defaults until changed."""

    theme: str = "system"
    text_size: str = "normal"
    radius_km: float = 8.0
    miles: bool = True
    home: ports.Position | None = None
    speech_model: str = ""
    only_mine: bool = True
    wifi_only_audio: bool = False
    last_place: ports.Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A speech model. `source`: "" = not here yet, else settings, download or package."""

    name: str
    size: int
    note: str
    installed: bool
    source: str
    in_use: bool
    progress: float | None = None
    error: str = ""
