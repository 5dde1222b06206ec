"""What every screen may ask for: who is signed in, the store, the services, the look, and the way to another screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar, cast

import flet as ft

from domain import errors
from views import theme

Service = TypeVar("Service")
Drawn = TypeVar("Drawn")
Kept = TypeVar("Kept")
OnChange = Callable[[frozenset[str]], None]
Dispose = Callable[[], None]


class Source(Protocol):
    """Anything that tells when its tables changed: the store, the status board."""

    def subscribe(self, callback: OnChange, /) -> Dispose: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who is signed in."""

    id: str
    name: str
    email: str
    role: str
    locations: tuple[str, ...] = ()

    @property
    def is_executive(self) -> bool:
        return self.role in {"manager", "admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How this device and the server stand to each other.

    `lost`: values of this person that another one replaced; `heard_at`: the server's last answer; `ended`: the store
    behind this window is closed (signed out elsewhere, or another role): sign in again.
    """

    online: bool = True
    forced: bool = False
    sending: bool = False
    waiting: int = 0
    needs_you: int = 0
    lost: int = 0
    as_of: datetime | None = None
    heard_at: datetime | None = None
    needs_sign_in: bool = False
    ended: bool = False


class Teller:
    """A source that is no store: whoever changes it calls `tell`."""

    def __init__(self) -> None:
        self._listeners: list[OnChange] = []

    @property
    def is_heard(self) -> bool:
        return bool(self._listeners)

    def tell(self) -> None:
        for listener in tuple(self._listeners):
            listener(frozenset())

    def subscribe(self, callback: OnChange, /) -> Dispose:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None


def of_window(page: ft.Page, kind: Callable[[], Kept]) -> Kept:
    """What this window keeps of this class, made at the first time; it outlives every screen."""
    name = f"jorge.{kind.__name__}"
    if (found := page.session.store.get(name)) is None:
        page.session.store.set(name, found := kind())
    return cast(Kept, found)


class Board(Teller):
    """The status as shown in the frame; whoever learns something new calls `update`, and the frame redraws."""

    def __init__(self, status: Status | None = None) -> None:
        super().__init__()
        self.status = status or Status()

    def read(self) -> Status:
        return self.status

    def update(self, **changes: object) -> None:
        """Tells the listeners only when a value is really another."""
        status = replace(self.status, **changes)  # type: ignore[arg-type]
        if status == self.status:
            return
        self.status = status
        self.tell()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a sign-in opens; main.py makes it."""

    user: User
    store: Source
    services: tuple[object, ...]
    board: Board
    demo: bool = False
    now: Callable[[], datetime] = field(default_factory=lambda: _utc_now)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """The frozen value that `use_app()` answers with. `sign_in_again(password)` keeps the store and all that waits in it."""

    access: Access
    wide: bool
    go: Callable[[str], None]
    appearance: theme.Appearance
    set_appearance: Callable[[theme.Appearance], None]
    sign_out: Callable[[], None]
    sign_in_again: Callable[[str], Awaitable[None]] = field(default_factory=lambda: _no_door)
    built: frozenset[str] = frozenset()

    def now(self) -> datetime:
        """The time on this person's wall: times shown beside it are told in its zone."""
        return self.access.now()

    @property
    def user(self) -> User:
        return self.access.user

    @property
    def store(self) -> Source:
        return self.access.store

    @property
    def board(self) -> Board:
        return self.access.board

    @property
    def demo(self) -> bool:
        return self.access.demo

    def service(self, kind: type[Service]) -> Service:
        """The service of this class, as main.py wired it."""
        for service in self.access.services:
            if isinstance(service, kind):
                return service
        raise errors.SettingsError(
            f"No {kind.__name__} is wired.", where="main.py", hint="Add it to Access.services."
        )


async def _no_door(password: str) -> None:
    raise errors.SettingsError(
        "There is no sign-in here.", where="views.context", hint="Draw the screen in the app."
    )


_NO_APP: AppContext | None = None
_CONTEXT = ft.create_context(_NO_APP)


def provide(app: AppContext, children: Callable[[], Drawn]) -> Drawn:
    """Runs `children` so that every component in it sees `app`."""
    return _CONTEXT(app, children)


def use_app() -> AppContext:
    """Hook: the context of this session."""
    app = ft.use_context(_CONTEXT)
    if app is None:
        raise errors.SettingsError(
            "A screen was drawn outside of the app.",
            where="views.context",
            hint="Draw it under context.provide().",
        )
    return app
