"""What the services ask of the outside beyond `domain.ports`: sign-in, the sync engine's buttons, speech models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain import errors, ports


class SessionGrant(Protocol):
    """What the server answers to a right password; main.py hands its tokens to sync."""

    @property
    def user_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def location_ids(self) -> tuple[str, ...]: ...


class SignIn(Protocol):
    """The server's sign-in."""

    async def login(self, email: str, password: str) -> SessionGrant:
        """Raises: WrongCredentialsError, TooManyTriesError, UnreachableError, ServerFaultError, NotOurServerError."""


class SyncStatus(Protocol):
    """What the sync engine knows right now. `error`: the last failure's words, empty when all is well."""

    @property
    def online(self) -> bool: ...
    @property
    def forced_offline(self) -> bool: ...
    @property
    def running(self) -> bool: ...
    @property
    def needs_sign_in(self) -> bool: ...
    @property
    def last_contact_at(self) -> datetime | None: ...
    @property
    def last_success_at(self) -> datetime | None: ...
    @property
    def next_try_at(self) -> datetime | None: ...
    @property
    def fault(self) -> errors.JorgeError | None: ...
    @property
    def error(self) -> str: ...
    @property
    def first_sync(self) -> float | None:
        """Share of the first load, None when it is complete."""

    @property
    def first_done(self) -> int: ...
    @property
    def first_total(self) -> int: ...
    @property
    def metered(self) -> bool:
        """Recordings wait for Wi-Fi, as the person wants it."""

    @property
    def compared_at(self) -> datetime | None: ...
    @property
    def compared_equal(self) -> bool | None:
        """None = never compared; False = rows differed, and were repaired."""

    @property
    def compared_rows(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStatus:
    """No server in reach."""

    online: bool = False
    forced_offline: bool = False
    running: bool = False
    needs_sign_in: bool = False
    last_contact_at: datetime | None = None
    last_success_at: datetime | None = None
    next_try_at: datetime | None = None
    fault: errors.JorgeError | None = None
    error: str = ""
    first_sync: float | None = None
    first_done: int = 0
    first_total: int = 0
    metered: bool = False
    compared_at: datetime | None = None
    compared_equal: bool | None = None
    compared_rows: int = 0


class SyncControl(Protocol):
    """The sync engine's buttons."""

    def status(self) -> SyncStatus: ...

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Calls back whenever `status()` changes; answers the way to stop it."""

    async def send_now(self) -> None: ...

    def force_offline(self, on: bool, /) -> None: ...

    async def audit(self) -> None:
        """Compares every row with the server's, and repairs what differs; the result is in `status()`."""


class DeviceLine(Protocol):
    """How one device of the brokerage stands towards the server."""

    @property
    def id(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def schema(self) -> int:
        """The version of the data that its app knows."""

    @property
    def loading(self) -> bool:
        """In its first download."""

    @property
    def error(self) -> str:
        """The code of the last refusal, empty when there was none."""

    @property
    def seen_at(self) -> datetime | None: ...
    @property
    def behind(self) -> int:
        """Changes of the feed that it has not fetched."""

    @property
    def waiting(self) -> int: ...
    @property
    def parked(self) -> int: ...
    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest change that waits there was made."""


class DeviceList(Protocol):
    """The server's list of devices; it is asked each time."""

    async def fetch(self) -> Sequence[DeviceLine]:
        """Raises: NetworkError, AccessError."""


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


class Recordings(Protocol):
    """Recordings that others made (`sync.downloads.Downloads`)."""

    async def fetch(self, note_id: str, on_progress: Callable[[float], None], /) -> Path:
        """Raises: NotFoundError, NetworkError, AccessError, SyncError, DiskFullError."""


CheckAudio = Callable[[Path], float]
"""Decodes a file once and answers its seconds. Raises: AudioError, NoEngineError where nothing can decode it."""

RepairAudio = Callable[[Path], ports.Recording]
"""Makes a recording whole that a crash cut off. Raises: AudioError when nothing in it can be saved."""


class NoSync:
    """A device that talks to no server: all work stays here."""

    def status(self) -> SyncStatus:
        return NoStatus()

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        return lambda: None

    async def send_now(self) -> None:
        return None

    def force_offline(self, on: bool, /) -> None:
        return None

    async def audit(self) -> None:
        return None
