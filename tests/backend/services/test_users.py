"""Making users and offices: what can't be used is told, and then nothing of it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from backend.actor import Role
from backend.deps import Deps
from backend.services import users
from backend.storage import users as stored
from domain import errors
from tests.serving import MakeUser

pytestmark = pytest.mark.anyio

ZONE = "America/Los_Angeles"


async def made(deps: Deps, **more: Any) -> stored.User:
    given: dict[str, Any] = {
        "email": "ana@brokerage.example",
        "name": "Ana",
        "role": Role.AGENT,
        "password": "long enough",
        "locations": ["Ontario"],
        "zone": ZONE,
    }
    return await users.create(deps, **given | more)


async def offices(deps: Deps) -> list[str]:
    async with deps.pool.acquire() as connection:
        return [place.name for place in await stored.all_locations(connection)]


async def test_a_new_office_is_made_with_its_first_user(deps: Deps) -> None:
    await made(deps)
    assert await offices(deps) == ["Ontario"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"email": "nope"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": " " * 12}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"zone": "Mars/Phobos"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"locations": ["Ontario", ""]}, "location"),
        ({"locations": ["O\udcff"]}, "location"),
        ({"locations": ["O\udcff"], "zone": ""}, "location"),
        ({"name": "A\udcff"}, "name"),
        ({"name": "A\nB"}, "name"),
        ({"name": "x" * 1000}, "name"),
    ],
)
async def test_what_cannot_be_used_is_told_and_leaves_no_office_behind(
    deps: Deps, wrong: dict[str, Any], where: str
) -> None:
    with pytest.raises(errors.InputError) as told:
        await made(deps, **wrong)
    assert told.value.where == where
    assert await offices(deps) == []


async def test_the_longest_password_still_signs_in(deps: Deps) -> None:
    user = await made(deps, password="x" * users.LONGEST_PASSWORD)
    assert await deps.passwords.fits("x" * users.LONGEST_PASSWORD, user.password_hash)


async def test_a_real_user_is_not_put_into_an_office_of_the_demo(deps: Deps, make_user: MakeUser) -> None:
    await make_user(locations=("Seattle",), demo=True)
    with pytest.raises(errors.InputError, match="demo"):
        await made(deps, locations=["Seattle"])
