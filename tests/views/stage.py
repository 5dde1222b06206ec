"""What tests of the view kit stand on: a store that only tells, a user, and an app context around one part."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import flet as ft

from views import context, theme

AGENT = context.User(
    id="u1", name="Ada Agent", email="agent1@demo.example", role="agent", locations=("west",)
)
MANAGER = replace(AGENT, id="u2", name="Mo Manager", role="manager")


class Store:
    """Tells its listeners as the database does after a commit."""

    def __init__(self) -> None:
        self.listeners: list[context.OnChange] = []

    def subscribe(self, callback: context.OnChange, /) -> context.Dispose:
        self.listeners.append(callback)

        def dispose() -> None:
            with suppress(ValueError):
                self.listeners.remove(callback)

        return dispose

    def commit(self, *tables: str) -> None:
        for listener in tuple(self.listeners):
            listener(frozenset(tables))


def access(
    user: context.User = AGENT,
    *,
    store: context.Source | None = None,
    services: tuple[object, ...] = (),
    board: context.Board | None = None,
    demo: bool = True,
) -> context.Access:
    return context.Access(
        user=user, store=store or Store(), services=services, board=board or context.Board(), demo=demo
    )


def app_context(given: context.Access | None = None, *, wide: bool = False) -> context.AppContext:
    return context.AppContext(
        access=given or access(),
        wide=wide,
        go=lambda route: ft.context.page.navigate(route),
        appearance=theme.Appearance(),
        set_appearance=lambda look: None,
        sign_out=lambda: None,
    )


def within(app: context.AppContext, draw: Callable[[], ft.Control]) -> Callable[[], ft.Control]:
    """`draw`, with the app's context around it."""

    @ft.component
    def stage() -> ft.Control:
        return context.provide(app, draw)

    return stage
