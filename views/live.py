"""Where background work meets the screen: reads the store, and reads again after every commit that matters."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import flet as ft

from views import context

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Hub:
    """All readers of one session: woken when its connection is back, let go when the session ends."""

    def __init__(self) -> None:
        self._readers: set[Feed] = set()

    def add(self, reader: Feed) -> None:
        self._readers.add(reader)

    def remove(self, reader: Feed) -> None:
        self._readers.discard(reader)

    def wake(self) -> None:
        for reader in tuple(self._readers):
            reader.nudge(frozenset())

    def close(self) -> None:
        for reader in tuple(self._readers):
            reader.stop()


def hub(page: ft.Page) -> Hub:
    """The hub of this page's session."""
    return context.of_window(page, Hub)


class Feed:
    """Listens to a source for one component, and runs `refresh` once a loop turn at most."""

    def __init__(self, page: ft.Page, refresh: Callable[[], None]) -> None:
        self.page = page
        self.tables: frozenset[str] = frozenset()
        self._refresh = refresh
        self._dispose: context.Dispose | None = None
        self._queued = False

    def start(self, source: context.Source) -> None:
        self.stop()
        self._dispose = source.subscribe(self.nudge)
        hub(self.page).add(self)
        self.nudge(frozenset())  # what was committed between the first read and now

    def stop(self) -> None:
        hub(self.page).remove(self)
        if self._dispose is not None:
            self._dispose()
            self._dispose = None

    def nudge(self, changed: frozenset[str]) -> None:
        """Called after a commit; an empty set means "anything may have changed"."""
        if self._queued or (changed and self.tables and not changed & self.tables):
            return
        if not self.page.session.connection:
            return  # nobody looks; Hub.wake() comes with the next connection
        self._queued = True
        # In a context of its own: the commit may come from the handler of another session's page.
        contextvars.copy_context().run(self.page.run_task, self._run)

    async def _run(self) -> None:
        self._queued = False
        if self._dispose is not None:
            self._refresh()


class _Reader(Generic[T]):
    """The value last read, and what it was read with."""

    def __init__(self, page: ft.Page) -> None:
        self.feed = Feed(page, self.refresh)
        self.read: Callable[[], T] | None = None
        self.deps: tuple[object, ...] | None = None
        self.value: T | None = None
        self.redraw: Callable[[], None] = lambda: None

    def current(self, read: Callable[[], T], deps: tuple[object, ...]) -> T:
        self.read = read
        if self.deps != deps:
            self.deps = None
            self.value = read()
            self.deps = deps
        return self.value  # type: ignore[return-value]

    def refresh(self) -> None:
        assert self.read is not None
        try:
            value = self.read()
        except Exception as error:  # noqa: BLE001 - the render reads again and shows the error's card
            LOG.warning("live.read_failed error=%s", type(error).__name__)
            self.deps = None
        else:
            if value == self.value and self.deps is not None:
                return
            self.value = value
        self.redraw()


def use_live(
    read: Callable[[], T],
    *deps: object,
    tables: Iterable[str] = (),
    source: context.Source | None = None,
) -> T:
    """Hook: what `read` answers now, and again after each commit that touches `tables` (none named: any commit).

    `deps` are the values that `read` closes over; another value reads at once. The component is drawn again only when
    the answer is another one, so `read` should return frozen values. Short reads only: it runs on the loop's thread.
    """
    app = context.use_app()
    origin = source or app.store
    _, set_turn = ft.use_state(0)
    reader: _Reader[T] = ft.use_memo(lambda: _Reader[T](ft.context.page), [])
    reader.redraw = lambda: set_turn(lambda turn: turn + 1)
    reader.feed.tables = frozenset(tables)
    ft.use_effect(lambda: reader.feed.start(origin), [id(origin)], cleanup=reader.feed.stop)
    return reader.current(read, deps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """A long read: its last answer (None before the first), and whether another is under way."""

    value: T | None = None
    loading: bool = True
    error: Exception | None = None


def use_live_async(
    read: Callable[[], T],
    *deps: object,
    tables: Iterable[str] = (),
    source: context.Source | None = None,
) -> Loaded[T]:
    """Hook: as `use_live`, but `read` runs in an executor; it opens a connection of its own."""
    app = context.use_app()
    origin = source or app.store
    nothing: Loaded[T] = Loaded()
    state, set_state = ft.use_state(nothing)
    ask, set_ask = ft.use_state(0)
    feed: Feed = ft.use_memo(lambda: Feed(ft.context.page, lambda: set_ask(lambda n: n + 1)), [])
    feed.tables = frozenset(tables)

    async def load() -> None:
        try:
            value = await asyncio.to_thread(read)
        except Exception as error:  # noqa: BLE001 - shown by the screen
            LOG.warning("live.long_read_failed error=%s", type(error).__name__)
            failure = error
            set_state(lambda old: Loaded(value=old.value, loading=False, error=failure))
        else:
            set_state(Loaded(value=value, loading=False))

    ft.use_effect(lambda: feed.start(origin), [id(origin)], cleanup=feed.stop)
    ft.use_effect(load, [ask, *deps], cleanup=lambda: None)
    return state


def use_tick(seconds: float) -> int:
    """Hook: draws the component again every so often (ages, countdowns, clocks)."""
    turn, set_turn = ft.use_state(0)

    async def beat() -> None:
        while True:
            await asyncio.sleep(seconds)
            set_turn(lambda n: n + 1)

    ft.use_effect(beat, [seconds], cleanup=lambda: None)
    return turn
