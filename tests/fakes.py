"""Written fakes for the ports in domain/ports.py: they behave, they never check how they were called."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain import errors, ports

EPOCH = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time that passes only when told to."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    def to(self, moment: datetime) -> None:
        self.advance((moment - self.now()).total_seconds())


class FakeLocator:
    """A device that stands still at `position`, or does not know where it is."""

    def __init__(self, position: ports.Position | None = None) -> None:
        self.position = position

    async def locate(self, *, timeout: float = 10.0) -> ports.Position:
        if self.position is None:
            raise errors.NoLocationError(
                "This device did not say where it is.", where="location", hint="Type an address."
            )
        return self.position


class FakeRecorder:
    """A microphone that hears the given WAV file; without one it is not allowed."""

    def __init__(self, hears: Path | None = None, *, seconds: float = 1.0, loudness: float = 0.5) -> None:
        self.hears = hears
        self.seconds = seconds
        self.loudness = loudness
        self._path: Path | None = None

    async def start(self, path: Path) -> None:
        if self.hears is None:
            raise errors.NoMicrophoneError(
                "The microphone is not allowed.", where="microphone", hint="Pick an audio file."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.hears, path)
        self._path = path

    async def stop(self) -> ports.Recording:
        path, self._path = self._path, None
        if path is None:
            raise errors.NoMicrophoneError(
                "No recording is running.", where="microphone", hint="Start first."
            )
        return ports.Recording(path=path, seconds=self.seconds, sample_rate=16_000, channels=1)

    async def cancel(self) -> None:
        path, self._path = self._path, None
        if path is not None:
            path.unlink(missing_ok=True)

    def level(self) -> float:
        return self.loudness if self._path else 0.0


class FakeTranscriber:
    """An engine that hears the text it was given; "" is silence, None is a device without an engine."""

    def __init__(self, says: str | None = "", *, seconds: float = 8.0, confidence: float = 0.9) -> None:
        self.says = says
        self.seconds = seconds
        self.confidence = confidence
        self.hotwords: list[tuple[str, ...]] = []

    def transcribe(
        self,
        audio: Path,
        *,
        hotwords: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> ports.Transcript:
        self._check(audio)
        self.hotwords.append(tuple(hotwords))
        if on_progress:
            on_progress(1.0)
        text = self.says or ""
        segment = ports.Segment(start=0.0, end=self.seconds, text=text, confidence=self.confidence)
        return ports.Transcript(
            segments=(segment,) if text else (),
            engine="fake",
            audio_seconds=self.seconds,
            compute_seconds=0.0,
        )

    def _check(self, audio: Path) -> None:
        if self.says is None:
            raise errors.NoEngineError(
                "This device has no speech engine.", where=audio.name, hint="The server transcribes it."
            )
        if not audio.exists():
            raise errors.AudioError(
                "The recording can't be opened.", where=audio.name, hint="Check that the file is still there."
            )


class FakeConnectivity:
    """A network that is there until `set` says otherwise."""

    def __init__(self, *, connected: bool = True, metered: bool | None = False) -> None:
        self.connected = connected
        self.costs = metered
        self._listeners: set[asyncio.Queue[bool]] = set()

    async def has_network(self) -> bool:
        return self.connected

    async def metered(self) -> bool | None:
        return self.costs if self.connected else None

    async def changes(self) -> AsyncIterator[bool]:
        queue: asyncio.Queue[bool] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def set(self, connected: bool, *, metered: bool | None = False) -> None:
        self.connected, self.costs = connected, metered
        for queue in self._listeners:
            queue.put_nowait(connected)


class FakeSecrets:
    """Tokens in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.held.get(name)

    async def set(self, name: str, value: str) -> None:
        self.held[name] = value

    async def remove(self, name: str) -> None:
        self.held.pop(name, None)


class FakeLauncher:
    """Remembers what was handed over: ("call", "+1206…"), ("navigate", "47.61,-122.33")."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []

    async def call(self, phone: str) -> None:
        self.opened.append(("call", phone))

    async def text(self, phone: str, body: str = "") -> None:
        self.opened.append(("text", f"{phone} {body}".strip()))

    async def mail(self, address: str) -> None:
        self.opened.append(("mail", address))

    async def navigate(self, lat: float, lon: float) -> None:
        self.opened.append(("navigate", f"{lat},{lon}"))
