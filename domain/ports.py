"""What the machine lends us: hardware, clock and speech engine, each as a small Protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Time, asked for and never assumed."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back while this process lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on the earth (WGS 84 degrees), how exact (metres) and when it was taken (UTC)."""

    lat: float
    lon: float
    accuracy_m: float | None = None
    taken_at: datetime | None = None
    label: str = ""


class Locator(Protocol):
    """Where this device is."""

    async def locate(self, *, timeout: float = 10.0) -> Position:
        """Raises: NoLocationError when permission, hardware or signal is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A finished recording on this device's disk."""

    path: Path
    seconds: float
    sample_rate: int
    channels: int


class Recorder(Protocol):
    """The microphone. Audio is on disk from the first second, so that a crash loses at most the last one."""

    async def start(self, path: Path) -> None:
        """Raises: NoMicrophoneError."""

    async def stop(self) -> Recording:
        """Raises: NoMicrophoneError when nothing was recorded."""

    async def cancel(self) -> None: ...

    def level(self) -> float:
        """Loudness now, 0 to 1, for the level meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of speech: seconds from the start, its words, and the engine's confidence 0 to 1."""

    start: float
    end: float
    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What the engine heard. No segments = no speech heard."""

    segments: tuple[Segment, ...]
    engine: str
    audio_seconds: float
    compute_seconds: float

    @property
    def text(self) -> str:
        return " ".join(segment.text.strip() for segment in self.segments).strip()

    @property
    def heard_speech(self) -> bool:
        return bool(self.text)


class Transcriber(Protocol):
    """A speech engine. Blocking: call it in an executor."""

    def transcribe(
        self,
        audio: Path,
        *,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """Raises: AudioError, NoEngineError, NoModelError. `on_progress` gets 0 to 1."""


class Connectivity(Protocol):
    """Whether the device has a network interface; it says nothing of the server."""

    async def has_network(self) -> bool: ...

    async def metered(self) -> bool | None:
        """Does it cost money by the byte? None = there is none, or this device can't tell."""

    def changes(self) -> AsyncIterator[bool]: ...


class Secrets(Protocol):
    """A place for tokens that the platform guards."""

    async def get(self, name: str) -> str | None: ...

    async def set(self, name: str, value: str) -> None: ...

    async def remove(self, name: str) -> None: ...


class Launcher(Protocol):
    """Hands over to the platform's own telephone, messages, mail and maps."""

    async def call(self, phone: str) -> None: ...

    async def text(self, phone: str, body: str = "") -> None: ...

    async def mail(self, address: str) -> None: ...

    async def navigate(self, lat: float, lon: float) -> None: ...
