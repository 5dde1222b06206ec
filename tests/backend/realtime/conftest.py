"""A manager who looks at the command centre."""

from __future__ import annotations

import pytest

from tests.serving import Login, MakeUser, SignedIn


@pytest.fixture
async def boss(make_user: MakeUser, login: Login) -> SignedIn:
    return await login((await make_user(role="manager")).email)
