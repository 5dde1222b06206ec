"""Who may sign in to the simulated server, what they may see, and which tokens count. Times are the world's."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.actor import Actor, Role
from domain import errors
from tests.simulation.world import HOUR, World

ACCESS_MS = HOUR // 4
"""Short, so that tokens end in the middle of work."""


@dataclass(slots=True, kw_only=True)
class User:
    id: str
    name: str
    role: Role
    locations: set[str] = field(default_factory=set)
    disabled: bool = False


@dataclass(slots=True)
class Accounts:
    world: World
    users: dict[str, User] = field(default_factory=dict)
    refresh_broken: bool = False
    _access: dict[str, tuple[str, int]] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    def sign_in(self, user_id: str) -> str:
        """A refresh token."""
        self._made += 1
        refresh = f"refresh-{self._made}"
        self._refresh[refresh] = user_id
        return refresh

    def renew(self, refresh: str) -> str:
        """Raises: TokenExpiredError when a person must sign in."""
        user = self.users.get(self._refresh.get(refresh, ""))
        if self.refresh_broken or user is None or user.disabled:
            raise errors.TokenExpiredError("Sign in again.", where="sign-in")
        self._made += 1
        access = f"access-{self._made}"
        self._access[access] = (user.id, self.world.now_ms + ACCESS_MS)
        return access

    def expire_all(self) -> None:
        self._access.clear()

    def actor(self, authorization: str) -> Actor:
        """Raises: TokenExpiredError."""
        token = authorization.removeprefix("Bearer ")
        user_id, until = self._access.get(token, ("", 0))
        user = self.users.get(user_id)
        if user is None or user.disabled or self.world.now_ms >= until:
            raise errors.TokenExpiredError("The access token has ended.", where="Authorization")
        return Actor(
            id=user.id,
            role=user.role,
            locations=frozenset(user.locations),
            device_id="",
            session_id="",
            token=token,
            name=user.name,
        )
