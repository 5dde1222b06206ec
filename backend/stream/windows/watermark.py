"""Up to which moment everything has probably come: behind the newest event of each stream, the least of those that are active."""

from __future__ import annotations

from dataclasses import dataclass

from backend.stream.windows.spans import IDLE, LATENESS


@dataclass(slots=True)
class _Stream:
    newest: int
    """The newest moment that came, in event time (µs)."""
    heard: int
    """When something came last, by our clock (µs)."""


class Watermark:
    """Never goes back. When every stream is idle, our clock moves it on: a quiet hour empties the windows, too."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self.at: int | None = None

    def heard(self, stream: str, newest: int, now: int) -> None:
        known = self._streams.get(stream)
        if known is None:
            self._streams[stream] = _Stream(newest, now)
        else:
            known.newest, known.heard = max(known.newest, newest), now

    @property
    def newest(self) -> int | None:
        """The newest moment of any stream."""
        return max((stream.newest for stream in self._streams.values()), default=None)

    def advance(self, now: int) -> int | None:
        """The watermark by our clock's `now`; None before the first event."""
        if not self._streams:
            return self.at
        active = [s.newest - LATENESS for s in self._streams.values() if now - s.heard < IDLE]
        found = min(active) if active else now - IDLE - LATENESS
        self.at = found if self.at is None else max(self.at, found)
        return self.at

    def saved(self) -> dict[str, tuple[int, int]]:
        return {name: (stream.newest, stream.heard) for name, stream in self._streams.items()}

    def put_back(self, at: int | None, streams: dict[str, tuple[int, int]]) -> None:
        self.at = at
        self._streams = {name: _Stream(*held) for name, held in streams.items()}
