"""From the door to the desk: sign-in, deep links, tabs, back, the rail, offline, signing out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import flet as ft
import pytest

from domain import errors
from tests import screen
from tests.views import stage
from views import app, component, context, routes, shell, theme
from views.parts import cards, words

pytestmark = pytest.mark.anyio


class Entry:
    """A door with one key."""

    def __init__(self, user: context.User = stage.AGENT, *, inside: bool = False) -> None:
        self.board = context.Board()
        self.access = stage.access(user, board=self.board)
        self.inside = inside
        self.look = theme.Appearance()

    async def restore(self, page: ft.Page) -> context.Access | None:
        return self.access if self.inside else None

    async def sign_in(self, page: ft.Page, email: str, password: str) -> context.Access:
        if password != "demo":
            raise errors.WrongCredentialsError(
                "E-mail or password is wrong.", hint="Check both and try again."
            )
        return self.access

    async def sign_out(self, page: ft.Page, access: context.Access) -> None:
        self.inside = False

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        return self.look

    def keep_appearance(self, access: context.Access, appearance: theme.Appearance) -> None:
        self.look = appearance


def _named(title: str, tab: routes.Screen | None, within: routes.Screen | None = None) -> routes.ScreenFn:
    @component.screen
    def shown() -> ft.View:
        here = context.use_app()
        param = " ".join(ft.use_route_params().values())
        dark = replace(here.appearance, mode=theme.Mode.DARK)
        leave = ft.TextButton("leave", on_click=here.sign_out)
        night = ft.TextButton("night", on_click=lambda: here.set_appearance(dark))
        body = cards.page(words.body(f"{title} page {param}"), leave, night)
        return shell.frame(title, body, tab=tab, within=within)

    return shown


SCREENS = {
    routes.Screen.NEARBY: _named("Near", routes.Screen.NEARBY),
    routes.Screen.TASKS: _named("Due", routes.Screen.TASKS),
    routes.Screen.VOICE: _named("Recorder", routes.Screen.VOICE),
    routes.Screen.LEADS: _named("People", routes.Screen.LEADS),
    routes.Screen.SYNC: _named("Centre", routes.Screen.SYNC),
    routes.Screen.SETTINGS: _named("Choices", routes.Screen.SETTINGS),
    routes.Screen.LEAD: _named("Person", None, routes.Screen.LEADS),
    routes.Screen.COMMAND: _named("Bridge", routes.Screen.COMMAND),
    routes.Screen.DRILL: _named("Behind", None, routes.Screen.COMMAND),
}


@asynccontextmanager
async def at(
    entry: Entry, route: str = "/", size: tuple[float, float] = screen.PHONE
) -> AsyncIterator[screen.Screen]:
    site = app.Site(entry=entry, screens=SCREENS, demo=True)
    main: Callable[[ft.Page], object] = lambda page: app.open_session(page, site)  # noqa: E731
    async with screen.opened(main, route=route, size=size) as shown:
        await shown.settle()
        yield shown


async def test_a_person_signs_in_and_lands_at_home() -> None:
    async with at(Entry()) as shown:
        await shown.type("E-mail", "agent1@demo.example")
        await shown.type("Password", "demo")
        await shown.tap("Sign in")

        assert shown.sees("Near page")
        assert shown.route == "/nearby"


@pytest.mark.parametrize("fault", [errors.StoreError("No keystore."), RuntimeError("a bug of ours")])
async def test_a_sign_in_that_cannot_be_restored_is_asked_for_anew(fault: Exception) -> None:
    class Broken(Entry):
        async def restore(self, page: ft.Page) -> context.Access | None:
            raise fault

    async with at(Broken()) as shown:
        assert shown.sees("Password")


async def test_a_wrong_password_is_said_and_nothing_typed_is_lost() -> None:
    async with at(Entry()) as shown:
        await shown.type("E-mail", "agent1@demo.example")
        await shown.type("Password", "wrong")
        await shown.enter("Password")

        assert shown.sees("E-mail or password is wrong. Check both and try again.")
        assert shown.sees("agent1@demo.example")


async def test_a_deep_link_opens_after_the_sign_in() -> None:
    async with at(Entry(), "/leads/lead/42") as shown:
        await shown.type("E-mail", "a")
        await shown.type("Password", "demo")
        await shown.tap("Sign in")

        assert shown.sees("Person page 42")


async def test_back_from_a_lead_leads_to_the_list_it_was_opened_from() -> None:
    async with at(Entry(inside=True), routes.lead("42", under=routes.NEARBY)) as shown:
        assert shown.sees("Person page 42")

        await shown.back()

        assert shown.sees("Near page")
        assert shown.route == "/nearby"


async def test_tabs_lead_to_their_screens() -> None:
    async with at(Entry(inside=True)) as shown:
        await shown.tap("Tasks")
        assert shown.sees("Due page")

        await shown.tap("Voice note")
        assert shown.sees("Recorder page")


async def test_a_manager_starts_at_the_command_centre() -> None:
    async with at(Entry(stage.MANAGER, inside=True)) as shown:
        assert shown.sees("Bridge page")
        assert not shown.all_of(ft.FloatingActionButton)


async def test_a_wide_window_shows_the_rail_and_a_narrow_one_the_bar() -> None:
    async with at(Entry(inside=True)) as shown:
        assert shown.all_of(ft.NavigationBar)

        await shown.resize(screen.DESKTOP)
        assert shown.all_of(ft.NavigationRail)
        assert not shown.all_of(ft.NavigationBar)

        await shown.tap("Tasks")
        assert shown.sees("Due page")


async def test_the_demo_is_said_on_every_screen() -> None:
    async with at(Entry(inside=True)) as shown:
        for route in ("/nearby", "/tasks", "/voice", "/leads", "/sync", "/leads/lead/1"):
            await shown.go(route)
            assert shown.sees("DEMO DATA"), route


async def test_offline_is_said_calmly_with_what_is_safe() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        assert not shown.sees("Offline")

        entry.board.update(online=False, waiting=3)
        await shown.settle()

        assert shown.sees("Offline · 3 changes safe on this computer · no leads downloaded yet")


async def test_an_unknown_address_shows_a_way_home() -> None:
    async with at(Entry(inside=True), "/nowhere/at/all") as shown:
        assert shown.sees("Nothing here")

        await shown.tap("Back")

        assert shown.sees("Near page")


async def test_signing_out_is_blocked_while_changes_wait() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        entry.board.update(waiting=2)
        await shown.tap("leave")

        assert shown.sees("2 changes are not on the server yet.")
        assert shown.sees("Near page")


async def test_signing_out_asks_and_ends_at_the_door() -> None:
    async with at(Entry(inside=True)) as shown:
        await shown.tap("leave")
        await shown.tap("dialog-yes")

        assert shown.sees("Password")


async def test_a_window_whose_store_was_closed_elsewhere_asks_for_the_sign_in() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        entry.board.update(ended=True)
        await shown.settle()

        assert shown.sees("This window was closed")
        assert shown.sees("Password")


async def test_a_window_that_slept_meanwhile_asks_when_it_is_back() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        await shown.session.disconnect(60)
        entry.board.update(ended=True)
        await shown.session.connect(shown.client)
        await shown.settle()

        assert shown.sees("This window was closed")


async def test_who_signed_out_here_is_not_told_that_it_happened_elsewhere() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        await shown.tap("leave")
        await shown.tap("dialog-yes")
        entry.board.update(ended=True)
        await shown.settle()

        assert shown.sees("Password")
        assert not shown.sees("This window was closed")


async def test_who_signed_in_again_is_not_sent_away_for_the_store_that_was_closed_before() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        entry.board.update(ended=True)
        await shown.settle()
        entry.board = context.Board()
        entry.access = stage.access(board=entry.board)
        await shown.type("E-mail", "agent1@demo.example")
        await shown.type("Password", "demo")
        await shown.tap("Sign in")

        await shown.reconnect()

        assert shown.sees("Near page")


async def test_coming_back_after_a_lost_connection_shows_what_is_now() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        await shown.session.disconnect(60)
        entry.board.update(online=False)

        await shown.session.connect(shown.client)
        await shown.settle()

        assert shown.sees("Offline")


async def test_the_end_of_the_session_leaves_no_listener() -> None:
    entry = Entry(inside=True)
    async with at(entry):
        pass

    assert entry.board._listeners == []


async def test_a_chosen_look_is_shown_at_once_and_kept() -> None:
    entry = Entry(inside=True)
    async with at(entry) as shown:
        await shown.tap("night")

        assert shown.page.theme_mode is ft.ThemeMode.DARK
        assert entry.look.mode is theme.Mode.DARK
        await shown.tap("Tasks")
        assert shown.sees("Due page")
