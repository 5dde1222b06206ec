"""What the services ask of the outside beyond `domain.ports`: sign-in, the sync engine's buttons, speech models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGrant:
    """What the server answers to a right password."""

    user_id: str
    name: str
    email: str
    role: str
    location_ids: tuple[str, ...]
    access_token: str
    refresh_token: str
    expires_in: float


class SignIn(Protocol):
    """The server's sign-in."""

    async def login(self, email: str, password: str) -> SessionGrant:
        """Raises: WrongCredentialsError, TooManyTriesError, UnreachableError, ServerFaultError, NotOurServerError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What the sync engine knows right now. `error` is the last failure's words, empty when all is well."""

    online: bool = False
    forced_offline: bool = False
    running: bool = False
    last_contact_at: datetime | None = None
    next_try_at: datetime | None = None
    error: str = ""
    needs_sign_in: bool = False
    first_sync: float | None = None


class SyncControl(Protocol):
    """The sync engine's buttons."""

    def status(self) -> SyncStatus: ...

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Calls back whenever `status()` changes; answers the way to stop it."""

    async def send_now(self) -> None: ...

    def force_offline(self, on: bool, /) -> None: ...


class SpeechModel(Protocol):
    """A model that can be downloaded."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def note(self) -> str: ...


class InstalledModel(Protocol):
    """A model that can be used now."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...


class SpeechModels(Protocol):
    """The speech models of this device (`speech.models.ModelStore`)."""

    def available_models(self) -> Sequence[SpeechModel]: ...

    def installed(self) -> Sequence[InstalledModel]: ...

    def download(self, name: str, *, on_progress: Callable[[float], None] | None = None) -> Path:
        """Blocking. Raises: NoModelError, ModelDownloadError."""


CheckAudio = Callable[[Path], float]
"""Decodes a file once and answers its seconds. Raises: AudioError, NoEngineError where nothing can decode it."""


class NoSync:
    """A device that talks to no server: all work stays here."""

    def status(self) -> SyncStatus:
        return SyncStatus()

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        return lambda: None

    async def send_now(self) -> None:
        return None

    def force_offline(self, on: bool, /) -> None:
        return None
