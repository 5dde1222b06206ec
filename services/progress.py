"""How far long work is, told to whoever looks: transcriptions and downloads by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

OnChange = Callable[[frozenset[str]], None]


class Progress:
    """0 to 1 by name; nothing of it is stored. Used from the loop's thread."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._parts: dict[str, float] = {}
        self._listeners: list[OnChange] = []

    def of(self, name: str) -> float | None:
        """None = not at work."""
        return self._parts.get(name)

    def all(self) -> dict[str, float]:
        return dict(self._parts)

    def report(self, name: str, part: float) -> None:
        """Tells the listeners by whole percents only."""
        new = round(min(1.0, max(0.0, part)), 2)
        if self._parts.get(name) != new:
            self._parts[name] = new
            self._tell()

    def finish(self, name: str) -> None:
        if self._parts.pop(name, None) is not None:
            self._tell()

    def subscribe(self, callback: OnChange, /) -> Callable[[], None]:
        """The same shape as the store's: the callback gets the topic's name."""
        self._listeners.append(callback)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._listeners.remove(callback)

        return unsubscribe

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener(frozenset({self._topic}))
