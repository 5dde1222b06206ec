"""A screen without Flutter: a real Flet session whose client is this file; it draws, is searched, tapped and typed into."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import flet as ft
from flet.components.component import Component
from flet.controls.context import _context_page
from flet.messaging.session import Session

from tests import flet_client

PHONE = (412.0, 915.0)
DESKTOP = (1440.0, 900.0)
NAMES = (
    "label",
    "tooltip",
    "value",
    "content",
    "text",
    "title",
    "identifier",
    "semantics_label",
    "hint_text",
)
Path = tuple[ft.BaseControl, ...]


def children(control: ft.BaseControl) -> Iterator[ft.BaseControl]:
    """The controls right below this one."""
    if isinstance(control, Component):
        yield from _controls_in(control._b)
        return
    for field in dataclasses.fields(control):
        if field.name != "_parent" and "skip" not in field.metadata:
            yield from _controls_in(getattr(control, field.name, None))


def _controls_in(value: object) -> Iterator[ft.BaseControl]:
    if isinstance(value, ft.BaseControl):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _controls_in(item)


def names(control: ft.BaseControl) -> Iterator[str]:
    """Every word by which a person or a test could call this control."""
    for field in NAMES:
        value = getattr(control, field, None)
        if isinstance(value, str) and value:
            yield value
    for span in getattr(control, "spans", None) or ():
        if span.text:
            yield span.text


@dataclass
class Screen:
    """What is on the screen now."""

    page: ft.Page
    session: Session
    client: flet_client.Client

    # --- looking -------------------------------------------------------------------------------------------------

    def walk(self) -> Iterator[Path]:
        """Every control that is shown, with those above it; the top view and the open dialogs only."""
        roots: list[ft.BaseControl] = [*list(_views(self.page))[-1:]]
        roots += [dialog for dialog in self.page._dialogs.controls if getattr(dialog, "open", False)]
        queue: list[Path] = [(root,) for root in reversed(roots)]
        while queue:
            path = queue.pop()
            if getattr(path[-1], "visible", True) is False:
                continue
            yield path
            queue.extend((*path, child) for child in reversed(list(children(path[-1]))))

    def texts(self) -> list[str]:
        """All words on the screen, in their order."""
        return [name for path in self.walk() for name in names(path[-1])]

    def sees(self, text: str) -> bool:
        return any(text in found for found in self.texts())

    def find(self, name: str, kind: type[ft.BaseControl] = ft.BaseControl) -> Path:
        """The first control with exactly this name; else the first whose name holds it."""
        paths = [path for path in self.walk() if isinstance(path[-1], kind)]
        for matches in (lambda found: found == name, lambda found: name in found):
            for path in paths:
                if any(matches(found) for found in names(path[-1])):
                    return path
        raise AssertionError(f"{name!r} is not on the screen: {self.texts()}")

    def all_of(self, kind: type[ft.BaseControl]) -> list[ft.BaseControl]:
        return [path[-1] for path in self.walk() if isinstance(path[-1], kind)]

    # --- doing ---------------------------------------------------------------------------------------------------

    async def tap(self, name: str) -> None:
        """Taps what has this name: the control itself, what it lies in, or what lies in it."""
        path = self.find(name)
        for control in (*reversed(path), *(below[-1] for below in self._below(path))):
            if await self._tapped(control, path, name):
                await self.settle()
                return
        raise AssertionError(f"{name!r} does not answer to a tap")

    def _below(self, path: Path) -> list[Path]:
        return [found for found in self.walk() if len(found) > len(path) and found[: len(path)] == path]

    async def _tapped(self, control: ft.BaseControl, path: Path, name: str) -> bool:
        if getattr(control, "disabled", False):
            raise AssertionError(f"{name!r} is disabled")
        if isinstance(control, (ft.NavigationBar, ft.NavigationRail)):
            places = [name in list(names(item)) for item in control.destinations]
            return await self._change(control, {"selected_index": places.index(True)})
        if isinstance(control, (ft.Checkbox, ft.Switch)):
            return await self._change(control, {"value": not control.value})
        if isinstance(control, ft.SegmentedButton):
            segment = next(part for part in path if isinstance(part, ft.Segment))
            return await self._change(control, {"selected": [segment.value]})
        if getattr(control, "on_click", None) is not None:
            await self.event(control, "click", None)
            return True
        return False

    async def _change(self, control: ft.BaseControl, values: dict[str, Any]) -> bool:
        self.session.apply_patch(control._i, values)
        await self.event(control, "change", next(iter(values.values())))
        return True

    async def type(self, label: str, text: str) -> None:
        """Types into the field with this label; the field keeps the focus."""
        control = self.find(label, ft.TextField)[-1]
        self.session.apply_patch(control._i, {"value": text})
        await self.event(control, "change", text)
        await self.settle()

    async def leave(self, label: str) -> None:
        """Takes the focus away from the field."""
        await self.event(self.find(label, ft.TextField)[-1], "blur", None)
        await self.settle()

    async def fill(self, label: str, text: str) -> None:
        await self.type(label, text)
        await self.leave(label)

    async def enter(self, label: str) -> None:
        """Presses Enter in the field."""
        control = self.find(label, ft.TextField)[-1]
        assert isinstance(control, ft.TextField)
        await self.event(control, "submit", control.value)
        await self.settle()

    async def event(self, control: ft.BaseControl, name: str, data: Any) -> None:
        await self.session.dispatch_event(control._i, name, data)

    async def go(self, route: str) -> None:
        """As if the address had been typed."""
        await flet_client.arrive(self.session, route)
        await self.settle()

    async def back(self) -> None:
        """The back arrow of the app bar, or the phone's gesture."""
        views = list(_views(self.page))
        assert len(views) > 1, "there is nothing to go back to"
        await self.event(self.page, "view_pop", {"route": views[-1].route})
        await self.settle()

    async def resize(self, size: tuple[float, float]) -> None:
        self.session.apply_page_patch({"width": size[0], "height": size[1]})
        await self.event(self.page, "resize", {"width": size[0], "height": size[1]})
        await self.settle()

    async def reconnect(self) -> None:
        """The browser lost its connection and is back."""
        await self.session.disconnect(60)
        await self.session.connect(self.client)
        await self.settle()

    @property
    def route(self) -> str:
        return self.page.route or ""

    async def settle(self, rounds: int = 8) -> None:
        """Until nothing is drawn any more: a few quiet turns of the loop in a row."""
        quiet, before = 0, -1
        for _ in range(400):
            await asyncio.sleep(0)
            quiet = quiet + 1 if self.client.octets == before else 0
            before = self.client.octets
            if quiet >= rounds:
                break
        self.assert_alive()

    async def until(self, text: str, timeout: float = 5.0) -> None:
        """Waits for words that come from a thread or a timer."""
        await self.until_true(lambda: self.sees(text), timeout, f"{text!r} did not come: {self.texts()}")

    async def until_true(self, holds: Callable[[], bool], timeout: float = 5.0, why: str = "") -> None:
        end = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < end, why or f"never held: {inspect.getsource(holds)}"
            await asyncio.sleep(0.01)
        await self.settle()

    def assert_alive(self) -> None:
        """The update loop runs (flet.md, pitfall 1) and the client was told of no crash."""
        task = self.session._Session__updates_task  # type: ignore[attr-defined]
        assert task is not None
        assert not task.done(), "the session's update loop has ended"
        assert not self.client.crashes, self.client.crashes


def _views(page: ft.Page) -> Iterator[ft.View]:
    """The stack of views; a component in it stands for the views that it draws."""
    queue: list[Any] = [page.views]
    while queue:
        item = queue.pop(0)
        if isinstance(item, Component):
            queue.insert(0, item._b)
        elif isinstance(item, (list, tuple)):
            queue[:0] = list(item)
        elif isinstance(item, ft.View):
            yield item


@asynccontextmanager
async def opened(
    main: Callable[[ft.Page], Any],
    *,
    size: tuple[float, float] = PHONE,
    route: str = "/",
    answers: flet_client.Answers | None = None,
) -> AsyncIterator[Screen]:
    """Runs an app's `main(page)` for one session, and ends it."""
    client = flet_client.Client(answers or {})
    session = Session(client)
    client.session = session
    page = session._Session__page  # type: ignore[attr-defined]
    token = _context_page.set(page)
    session.apply_page_patch({"width": size[0], "height": size[1], "route": route, "web": True})
    client.encode(session.get_page_patch())  # type: ignore[no-untyped-call]
    done = main(page)
    if inspect.isawaitable(done):
        await done
    screen = Screen(page=page, session=session, client=client)
    await screen.settle()
    try:
        yield screen
    finally:
        page.on_close = page.on_close
        session.close()  # type: ignore[no-untyped-call]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        _context_page.reset(token)


@asynccontextmanager
async def drawn(
    draw: Callable[[], ft.Control], *, size: tuple[float, float] = PHONE
) -> AsyncIterator[Screen]:
    """One part on an empty page; `draw` is a component or a plain function."""

    def main(page: ft.Page) -> None:
        page.render_views(_holder, draw)

    async with opened(main, size=size) as screen:
        yield screen


@ft.component
def _holder(draw: Callable[[], ft.Control]) -> list[ft.View]:
    return [ft.View(route="/", controls=[draw()])]


def order(screen: Screen, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted words that are shown, in the order in which they are."""
    return [text for text in screen.texts() if text in wanted]
