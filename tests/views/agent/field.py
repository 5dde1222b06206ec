"""An agent's screens on a real store: the whole app, with a phone's devices that do as they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import flet as ft

from domain import errors, ports
from services import here
from tests import fakes, screen
from tests.services import conftest as services_of
from views import app, context, screens, theme

AUSTIN = ports.Position(lat=services_of.HOME[0], lon=services_of.HOME[1], label="Austin")


class Entry:
    """A door that stands open for the person of this bench."""

    def __init__(self, bench: services_of.Bench, locator: ports.Locator | None) -> None:
        user = bench.sv.user
        where = here.Here(locator=locator, settings=bench.sv.settings)
        self.access = context.Access(
            user=context.User(
                id=user.id,
                name=user.name,
                email=user.email,
                role=user.role.value,
                locations=user.location_ids,
            ),
            store=bench.db,
            services=(*bench.sv.all(), where),
            board=context.Board(),
            now=lambda: bench.clock.now().astimezone(bench.sv.desk.zone()),
        )

    async def restore(self, page: ft.Page) -> context.Access | None:
        return self.access

    async def sign_in(self, page: ft.Page, email: str, password: str) -> context.Access:
        if password != "demo":
            raise errors.WrongCredentialsError("E-mail or password is wrong.", where="sign-in")
        return self.access

    async def sign_out(self, page: ft.Page, access: context.Access) -> None:
        return None

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        return theme.Appearance()

    def keep_appearance(self, access: context.Access, appearance: theme.Appearance) -> None:
        return None


@asynccontextmanager
async def opened(
    bench: services_of.Bench,
    route: str,
    *,
    place: ports.Position | None = None,
    located: ports.Position | None = None,
    size: tuple[float, float] = screen.PHONE,
) -> AsyncIterator[screen.Screen]:
    """The app at `route`; `place` = where this person was last, `located` = what the device answers."""
    if place is not None:
        bench.sv.settings.change(last_place=replace(place))
    entry = Entry(bench, fakes.FakeLocator(located))
    site = app.Site(entry=entry, screens=screens.ALL)

    async def main(page: ft.Page) -> None:
        await app.open_session(page, site)

    async with screen.opened(main, size=size, route=route) as phone:
        yield phone


Make = Callable[..., services_of.Bench]
