"""How a window gets in and out: remembered sign-ins, the server's, and the store behind each."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import flet as ft

from devices import secrets as secret_stores
from domain import errors
from services import accounts as accounts_of
from sync import login, session
from views import context, theme
from wiring import looks
from wiring.workplace import Shared, Workplace

LOG = logging.getLogger(__name__)
TOKEN = "session"


@dataclass(slots=True)
class Entry:
    """Implements views.app.Entry for every window of this process."""

    shared: Shared
    accounts: accounts_of.Accounts
    device_look: looks.Looks
    many_people: bool
    open_now: dict[str, Workplace] = field(default_factory=dict)

    async def restore(self, page: ft.Page) -> context.Access | None:
        token = await _keeper(page).get(TOKEN)
        found = self.accounts.resume(token) if token else None
        if found is None:
            return None
        LOG.info("app.resumed")
        return self._access(page, await self._workplace(found))

    async def sign_in(self, page: ft.Page, email: str, password: str) -> context.Access:
        """Raises: InputError, AccessError, NetworkError, StoreError."""
        found = await self.accounts.log_in(email, password)
        place = await self._workplace(found)
        if isinstance(found.grant, session.Grant):
            await place.tokens.accept(found.grant)
            place.demo = found.grant.demo
            place.sync.wake()
        try:
            await _keeper(page).set(TOKEN, found.session_token)
        except errors.StoreError:
            LOG.warning("app.sign_in_not_remembered")
        return self._access(page, place)

    async def sign_out(self, page: ft.Page, access: context.Access) -> None:
        keeper = _keeper(page)
        token = await keeper.get(TOKEN)
        place = self.open_now.get(access.user.id)
        if token:
            self.accounts.log_out(token, unsent=place.services.sync_centre.unsent() if place else 0)
            await keeper.remove(TOKEN)
        if place is not None and not self.accounts.is_in(place.user):
            self.open_now.pop(access.user.id)
            await place.sign_out()
            await place.close()

    def appearance(self, access: context.Access | None) -> theme.Appearance:
        return (self._looks(access) if access else self.device_look).read()

    def keep_appearance(self, access: context.Access, appearance: theme.Appearance) -> None:
        """Each person's own; where device and person are one, the sign-in wears it too."""
        self._looks(access).keep(appearance)
        if not self.many_people:
            self.device_look.keep(appearance)

    def _looks(self, access: context.Access) -> looks.Looks:
        return looks.Looks(self.open_now[access.user.id].db.path.with_name("look.json"))

    async def close(self) -> None:
        """The process ends."""
        for place in self.open_now.values():
            await place.close()
        await self.shared.http.aclose()

    async def _workplace(self, found: accounts_of.SignedIn) -> Workplace:
        """The one that is open, unless the person's role or locations are others now."""
        place = self.open_now.get(found.user.id)
        if place is not None and place.user != found.user:
            await self.open_now.pop(found.user.id).close()
            place = self.open_now.get(found.user.id)  # another window may have opened it meanwhile
        if place is None:
            place = self.open_now[found.user.id] = Workplace.open(self.shared, found.user, found.store_path)
            place.start()
        return place

    def _access(self, page: ft.Page, place: Workplace) -> context.Access:
        user = place.user
        return context.Access(
            user=context.User(
                id=user.id,
                name=user.name,
                email=user.email,
                role=user.role.value,
                locations=user.location_ids,
            ),
            store=place.db,
            services=place.window(page),
            board=place.board,
            demo=place.demo,
            now=place.now,
        )


def _keeper(page: ft.Page) -> secret_stores.FletSecrets:
    """This window's secret store: the platform's keystore, or in a browser its encrypted storage."""
    return context.of_window(page, secret_stores.FletSecrets)


def open_entry(data: Path, shared: Shared, *, many_people: bool) -> Entry:
    """`many_people`: a process that serves browsers, and not one person's device."""
    return Entry(
        shared=shared,
        accounts=accounts_of.Accounts(data=data, clock=shared.clock, sign_in=login.Login(http=shared.http)),
        device_look=looks.Looks(data / "look.json"),
        many_people=many_people,
    )
