"""The tokens of one person on this device: kept by the platform's secret store, rotated before use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import errors, ports
from sync import answers

EARLY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the server answers to a right password or refresh token."""

    user_id: str
    name: str
    email: str
    role: str
    location_ids: tuple[str, ...]
    access_token: str
    refresh_token: str
    expires_in: float
    demo: bool = False


def grant_of(answer: Mapping[str, Any]) -> Grant:
    """Raises: NotOurServerError."""
    try:
        user = answer["user"]
        return Grant(
            user_id=str(user["id"]),
            name=str(user["name"]),
            email=str(user["email"]),
            role=str(user["role"]),
            location_ids=tuple(str(place["id"]) for place in user["locations"]),
            access_token=str(answer["access_token"]),
            refresh_token=str(answer["refresh_token"]),
            expires_in=float(answer["expires_in"]),
            demo=bool(answer.get("demo", False)),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise answers.not_ours("no sign-in answer") from fault


class Session:
    """Access and refresh token of `user_id`. One object per signed-in person and process."""

    def __init__(self, secrets: ports.Secrets, clock: ports.Clock, user_id: str) -> None:
        self._secrets = secrets
        self._clock = clock
        self._name = f"sync.session.{user_id}"
        self._access = ""
        self._expires_at = 0.0
        self._refresh: str | None = None

    async def accept(self, answer: Grant) -> None:
        """Keep new tokens; the refresh token is stored safely before any of them is used."""
        await self._secrets.set(self._name, json.dumps({"refresh_token": answer.refresh_token}))
        self._refresh = answer.refresh_token
        self._access = answer.access_token
        self._expires_at = self._clock.monotonic() + answer.expires_in

    def access_token(self) -> str | None:
        """None when there is none, or it ends within half a minute: refresh first."""
        ends = self._expires_at - EARLY_SECONDS
        return self._access if self._access and self._clock.monotonic() < ends else None

    async def refresh_token(self) -> str:
        """Raises: TokenExpiredError when nobody is signed in."""
        if self._refresh is None:
            self._refresh = _stored(await self._secrets.get(self._name))
        if not self._refresh:
            raise errors.TokenExpiredError(
                "Nobody is signed in to the server.",
                where="sign-in",
                hint="Sign in; unsent work stays on this device until then.",
            )
        return self._refresh

    def drop_access(self, token: str = "") -> None:
        """The server doesn't take `token` (any more); a newer one, which another request brought, stays."""
        if not token or token == self._access:
            self._access = ""

    async def forget(self) -> None:
        """Signed out."""
        self._access, self._refresh = "", ""
        await self._secrets.remove(self._name)


def _stored(text: str | None) -> str:
    try:
        found = json.loads(text or "{}")
        return str(found.get("refresh_token", "")) if isinstance(found, dict) else ""
    except ValueError:
        return ""
