"""The root of every session: sign-in, the context, the router; main.py gives it an `Entry` and the screens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import flet as ft

from domain import errors
from views import component, context, live, login, routes, strings, theme
from views.parts import buttons, dialogs, empty_state, progress, toasts

LOG = logging.getLogger(__name__)


class Entry(Protocol):
    """How a session gets in and out; main.py implements it."""

    async def restore(self, page: ft.Page) -> context.Access | None:
        """The sign-in that this browser or phone still has, if any; works with no network."""

    async def sign_in(self, page: ft.Page, email: str, password: str) -> context.Access:
        """Raises: AccessError, NetworkError."""

    async def sign_out(self, page: ft.Page, access: context.Access) -> None:
        """Ends the sign-in; the store stays on the device."""

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        """The look that this person chose; before the sign-in, the device's."""

    def keep_appearance(self, access: context.Access, appearance: theme.Appearance) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What main.py puts together once a process."""

    entry: Entry
    screens: Mapping[routes.Screen, routes.ScreenFn]
    demo: bool = False
    server: login.ServerChoice | None = None


async def open_session(page: ft.Page, site: Site) -> None:
    """Flet's `main(page)`: dresses the page, draws the app, and keeps the session alive."""
    page.title = strings.t("kit.app")
    theme.apply(page, site.entry.appearance(None))
    sign = live.hub(page)
    page.on_connect = lambda: sign.wake()
    page.on_close = lambda: sign.close()
    page.render_views(App, site)
    component.watch(page)
    LOG.info("view.session_opened")


def use_wide() -> bool:
    """Hook: whether there is room for the rail; draws again only when that changes."""
    page = ft.context.page
    wide, set_wide = ft.use_state((page.width or 0) >= theme.WIDE_FROM)

    def listen() -> None:
        page.on_resize = lambda event: set_wide(event.width >= theme.WIDE_FROM)

    ft.use_effect(listen, [])
    return wide


@dataclass(frozen=True, slots=True)
class _Door:
    """Whether this session is in: not yet asked, out, or in with an access. `note`: why it is out."""

    asked: bool = False
    access: context.Access | None = None
    note: str = ""


SetDoor = Callable[[_Door | Callable[[_Door], _Door]], None]


def use_look(page: ft.Page, site: Site) -> tuple[theme.Appearance, Callable[[theme.Appearance], None]]:
    """Hook: the look of this window, and the way to wear another."""
    look, set_look = ft.use_state(site.entry.appearance(None))

    def wear(chosen: theme.Appearance) -> None:
        if chosen != look:
            theme.apply(page, chosen)
            page.update()
            set_look(chosen)

    return look, wear


class _Ending:
    """Watches the board of the access that this window has now; one for the window's whole life, so that no old one stays."""

    def __init__(self, page: ft.Page, set_door: SetDoor) -> None:
        self.board: context.Board | None = None
        self._feed = live.Feed(page, self._look)
        self._set_door = set_door

    def follow(self) -> None:
        if self.board is None:
            self._feed.stop()
        else:
            self._feed.start(self.board)

    def stop(self) -> None:
        self._feed.stop()

    def _look(self) -> None:
        if self.board is not None and self.board.read().ended:
            ended = _Door(asked=True, note=strings.t("kit.ended"))
            self._set_door(lambda old: ended if old.access else old)


def use_ending(page: ft.Page, access: context.Access | None, set_door: SetDoor) -> None:
    """Hook: where another window closed the store behind this one, this one says so instead of holding on to it."""
    ending = ft.use_memo(lambda: _Ending(page, set_door), [])
    ending.board = access.board if access is not None else None
    ft.use_effect(ending.follow, [id(ending.board)], cleanup=ending.stop)


def use_restored(page: ft.Page, site: Site, entered: Callable[[context.Access | None], None]) -> None:
    """Hook: once, the sign-in that this window still has."""

    async def restore() -> None:
        access = None
        try:
            access = await site.entry.restore(page)
        except errors.JorgeError as error:
            LOG.warning("view.restore_failed error=%s", type(error).__name__)
        finally:  # whatever happened: a window that waits for ever helps nobody
            entered(access)

    ft.use_effect(restore, [], cleanup=lambda: None)


@ft.component
def App(site: Site) -> list[ft.View]:
    """Not guarded like the others: it returns the list of views, and does next to nothing itself."""
    page = ft.context.page
    door, set_door = ft.use_state(_Door())
    wide = use_wide()
    look, wear = use_look(page, site)

    def entered(access: context.Access | None) -> None:
        wear(site.entry.appearance(access))
        set_door(_Door(asked=True, access=access))

    use_restored(page, site, entered)
    use_ending(page, door.access, set_door)
    if not door.asked:
        return [ft.View(route="/", controls=[progress.waiting()], bgcolor=theme.GROUND)]
    access = door.access
    if access is None:
        return [_login(page, site, door, entered)]

    async def sign_in_again(password: str) -> None:
        entered(await site.entry.sign_in(page, access.user.email, password))

    def choose_look(chosen: theme.Appearance) -> None:
        wear(chosen)
        site.entry.keep_appearance(access, chosen)

    app = context.AppContext(
        access=access,
        wide=wide,
        go=page.navigate,
        appearance=look,
        set_appearance=choose_look,
        sign_out=lambda: _ask_to_leave(page, site, access, set_door),
        sign_in_again=sign_in_again,
        built=frozenset(site.screens),
    )
    return context.provide(app, lambda: _router(site))


def _login(
    page: ft.Page, site: Site, door: _Door, entered: Callable[[context.Access | None], None]
) -> ft.View:
    return login.login_screen(
        lambda email, word: site.entry.sign_in(page, email, word), entered, site.demo, site.server, door.note
    )


def _router(site: Site) -> list[ft.View]:
    routing = routes.tree(site.screens, going_home)
    return ft.Router(routing, not_found=nowhere, manage_views=True)  # type: ignore[return-value]


@component.screen
def going_home() -> ft.View:
    """ "/" leads on to where this person starts."""
    app = context.use_app()

    async def lead_on() -> None:
        await asyncio.sleep(0)
        app.go(routes.home(app.user))

    ft.use_effect(lead_on, [], cleanup=lambda: None)
    return ft.View(route="/", controls=[progress.waiting()], bgcolor=theme.GROUND)


@component.component
def nowhere() -> ft.Control:
    """An address that we do not know."""
    app = context.use_app()
    return empty_state.empty_state(
        ft.Icons.EXPLORE_OFF_OUTLINED,
        strings.t("kit.not_found.title"),
        strings.t("kit.not_found.text"),
        action=buttons.primary(strings.t("kit.back"), lambda: app.go(routes.home(app.user)), id="go-home"),
    )


def _ask_to_leave(page: ft.Page, site: Site, access: context.Access, set_door: SetDoor) -> None:
    """Leaving is blocked while changes wait: they would wait for nobody."""
    waiting = access.board.read().waiting
    if waiting:
        toasts.show(page, strings.count("kit.leave.blocked", waiting), seconds=8)
        return

    async def leave() -> None:
        await site.entry.sign_out(page, access)
        set_door(_Door(asked=True))
        page.navigate(routes.HOME)

    dialogs.confirm(
        page,
        strings.t("kit.leave.title"),
        strings.t("kit.leave.text"),
        yes=strings.t("kit.leave.yes"),
        on_yes=leave,
    )
