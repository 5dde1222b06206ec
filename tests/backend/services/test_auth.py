"""Refresh tokens under random histories: whatever is tried, at most one token of a sign-in is live."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from backend.deps import Deps
from backend.services import auth
from domain import errors
from tests.serving import PASSWORD, MakeUser

pytestmark = pytest.mark.anyio

HERE = auth.Peer(address="127.0.0.1", on_this_machine=True)


@dataclass(slots=True)
class Family:
    """The rule as plain Python: which token was used, whose child it is, what was taken back."""

    parent: dict[str, str | None]
    used: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    ended: bool = False

    def accepts(self, token: str) -> bool:
        """Would the rule take this token? Anything that it finds stolen ends the family."""
        if self.ended:
            return False
        child = next((c for c, p in self.parent.items() if p == token and c not in self.dropped), None)
        if token in self.dropped or (token in self.used and child in self.used):
            self.ended = True
            return False
        if token in self.used and child is not None:
            self.dropped.add(child)
        return True

    def gave(self, token: str, child: str) -> None:
        self.used.add(token)
        self.parent[child] = token


@pytest.mark.parametrize("seed", range(12))
async def test_random_histories_follow_the_rule(deps: Deps, make_user: MakeUser, seed: int) -> None:
    chance = random.Random(seed)
    user = await make_user()
    first = await auth.login(deps, email=user.email, password=PASSWORD, device_id="phone", peer=HERE)
    family = Family({first.refresh_token: None})

    for _ in range(25):
        newest = list(family.parent)[-3:]
        token = chance.choice(newest if chance.random() < 0.9 else list(family.parent))
        expected = family.accepts(token)
        child = await refreshed(deps, token)
        assert (child is not None) == expected
        if child is not None:
            family.gave(token, child)
        assert await live(deps) <= 1


async def refreshed(deps: Deps, token: str) -> str | None:
    try:
        answer = await auth.refresh(deps, refresh_token=token, device_id="phone", peer=HERE)
    except errors.TokenExpiredError:
        return None
    return answer.refresh_token


async def live(deps: Deps) -> int:
    """Tokens that would be taken without anything being taken back for them."""
    async with deps.pool.acquire() as connection:
        count: int = await connection.fetchval(
            """SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
               WHERE t.used_at IS NULL AND t.dropped_at IS NULL AND s.revoked_at IS NULL"""
        )
    return count
