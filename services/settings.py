"""What this person chose on this device: look, radius, home place, recordings, speech model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from domain import errors, ports
from services.desk import Desk
from services.ports import SpeechModels
from services.progress import Progress
from storage import settings

_KEY = "preferences"
THEMES = ("system", "light", "dark")
TEXT_SIZES = ("normal", "large", "largest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Defaults until changed. `wifi_only_audio`: recordings wait where the connection costs money by the byte."""

    theme: str = "system"
    text_size: str = "normal"
    radius_km: float = 8.0
    miles: bool = True
    only_mine: bool = True
    home: ports.Position | None = None
    last_place: ports.Position | None = None
    wifi_only_audio: bool = False
    recording_minutes: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A speech model. `source` empty = not here yet, else settings, download or package; `in_use` = it listens now."""

    name: str
    size: int
    note: str
    source: str
    in_use: bool
    progress: float | None = None

    @property
    def installed(self) -> bool:
        return bool(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`models` None = this device has no speech engine of its own."""

    desk: Desk
    models: SpeechModels | None = None
    progress: Progress = field(default_factory=lambda: Progress("models"))

    def read(self) -> Preferences:
        """What a newer or damaged file says otherwise falls back to the default."""
        stored = settings.get(self.desk.db, _KEY, {})
        return _preferences(stored if isinstance(stored, Mapping) else {})

    def change(self, **changes: Any) -> Preferences:
        """Change some by name. Raises: InputError."""
        unknown = changes.keys() - asdict(Preferences()).keys()
        if unknown:
            raise errors.InputError(f"There is no setting {min(unknown)!r}.", where=min(unknown))
        new = replace(self.read(), **changes)
        _check(new)
        with self.desk.db.write_tx() as tx:
            settings.put(tx, _KEY, _as_json(new))
        return new

    def speech_models(self) -> tuple[ModelChoice, ...]:
        """What can be used or downloaded, smallest first."""
        if self.models is None:
            return ()
        here = {model.name: model.source for model in reversed(self.models.installed())}
        best = next((model.name for model in self.models.installed()), "")
        known = [
            ModelChoice(
                name=model.name,
                size=model.size,
                note=model.note,
                source=here.pop(model.name, ""),
                in_use=model.name == best,
                progress=self.progress.of(model.name),
            )
            for model in self.models.available_models()
        ]
        others = [
            ModelChoice(name=name, size=0, note="", source=source, in_use=name == best)
            for name, source in here.items()
        ]
        return (*others, *known)

    async def download(self, name: str) -> None:
        """On the person's word only; goes on where an earlier try stopped. Progress by `progress`.

        Raises: NoEngineError, NoModelError, ModelDownloadError (what arrived is kept).
        """
        if self.models is None:
            raise errors.NoEngineError(
                "This device has no speech engine.",
                where="speech",
                hint="Notes are transcribed by the server after the next sync.",
            )
        loop, models = asyncio.get_running_loop(), self.models

        def report(part: float) -> None:
            loop.call_soon_threadsafe(self.progress.report, name, part)

        self.progress.report(name, 0.0)
        try:
            await asyncio.to_thread(lambda: models.download(name, on_progress=report))
        finally:
            self.progress.finish(name)


def _check(new: Preferences) -> None:
    for name, value, allowed in (("theme", new.theme, THEMES), ("text_size", new.text_size, TEXT_SIZES)):
        if value not in allowed:
            raise errors.InputError(
                f"{value!r:.40} is no {name}.", where=name, hint=f"Choose one of: {', '.join(allowed)}."
            )
    if not 0 < new.radius_km <= 300:
        raise errors.InputError(
            "This is no radius.", where="radius_km", hint="Give more than 0 and at most 300 km."
        )
    if not 1 <= new.recording_minutes <= 120:
        raise errors.InputError(
            "A recording may last 1 to 120 minutes.", where="recording_minutes", hint="Choose another length."
        )


def _as_json(new: Preferences) -> dict[str, Any]:
    return {
        **asdict(new),
        "home": _place_json(new.home),
        "last_place": _place_json(new.last_place),
    }


def _place_json(place: ports.Position | None) -> dict[str, Any] | None:
    return None if place is None else {"lat": place.lat, "lon": place.lon, "label": place.label}


def _preferences(stored: Mapping[str, Any]) -> Preferences:
    plain = {name: stored[name] for name in asdict(Preferences()) if name in stored}
    for name in ("home", "last_place"):
        found = plain.get(name)
        plain[name] = ports.Position(**found) if isinstance(found, Mapping) else None
    try:
        found = Preferences(**plain)
        _check(found)
    except (errors.InputError, TypeError):
        return Preferences()
    return found
