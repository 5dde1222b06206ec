"""Changing a user: it counts at once, is in the audit log, and what can't be done is told and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from backend.actor import Role
from backend.deps import Deps
from backend.realtime import checks, codes
from backend.services import audit_proof, auth, user_changes
from backend.services.user_changes import Change
from backend.storage import audit as log
from backend.storage import history, pool, users
from domain import errors
from tests.backend.realtime.talking import closing_code, heard, opened
from tests.serving import PASSWORD, LiveServer, Login, MakeUser, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio

NEW = "another long one"
Ask = Callable[[SignedIn], Awaitable[httpx.Response]]


@pytest.fixture
async def pat(make_user: MakeUser) -> users.User:
    return await make_user("manager", ("North",), email="pat@brokerage.example")


@pytest.fixture
def me(client: httpx.AsyncClient) -> Ask:
    async def asked(who: SignedIn) -> httpx.Response:
        return await client.get("/api/auth/me", headers=who.headers)

    return asked


async def _changed(deps: Deps, user: users.User, **more: Any) -> user_changes.Changed:
    return await user_changes.change(deps, user.email, Change(**more))


async def _renewed(client: httpx.AsyncClient, who: SignedIn) -> int:
    answer = await client.post("/api/auth/refresh", json={"refresh_token": who.refresh_token})
    return answer.status_code


async def _entries(deps: Deps) -> list[log.Entry]:
    async with deps.pool.acquire() as connection:
        return [link.entry for link in await log.page(connection, before=None, limit=10)]


async def test_who_is_disabled_is_out_at_once_and_stays_out_when_enabled_until_signing_in(
    deps: Deps, client: httpx.AsyncClient, pat: users.User, login: Login, me: Ask
) -> None:
    signed_in = await login(pat.email)
    assert (await me(signed_in)).status_code == 200

    await _changed(deps, pat, disabled=True)

    form = {"username": pat.email, "password": PASSWORD}
    assert (await me(signed_in)).status_code == 401
    assert await _renewed(client, signed_in) == 401
    assert (await client.post("/api/auth/login", data=form)).status_code == 401

    await _changed(deps, pat, disabled=False)

    assert (await me(signed_in)).status_code == 401
    assert await _renewed(client, signed_in) == 401
    assert (await me(await login(pat.email))).status_code == 200


async def test_a_live_socket_of_who_is_disabled_closes_with_the_next_look(
    deps: Deps, live_server: LiveServer, pat: users.User, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    signed_in = await login(pat.email)
    async with opened(live_server, "/ws/dashboard/all", signed_in.headers) as socket:
        await heard(socket)
        await _changed(deps, pat, disabled=True)
        assert await closing_code(socket) == codes.SIGN_IN


async def test_a_sign_in_under_way_does_not_outlive_the_password_it_began_with(
    deps: Deps, pat: users.User
) -> None:
    """It has read the old password's hash, and the change is not committed yet."""
    peer = auth.Peer(address="127.0.0.1", on_this_machine=True)
    async with pool.transaction(deps.pool) as connection:
        await users.set_password(connection, pat.id, await deps.passwords.hash(NEW))
        coming = asyncio.create_task(
            auth.login(deps, email=pat.email, password=PASSWORD, device_id="", peer=peer)
        )
        await until(lambda: _waits_for_a_lock(deps))
        assert not coming.done()

    with pytest.raises(errors.WrongCredentialsError):
        await coming


async def _waits_for_a_lock(deps: Deps) -> bool:
    return bool(
        await deps.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_a_new_password_ends_every_sign_in_and_the_old_one_is_worth_nothing(
    deps: Deps, client: httpx.AsyncClient, pat: users.User, login: Login, me: Ask
) -> None:
    signed_in = await login(pat.email)

    await _changed(deps, pat, password=NEW)

    assert (await me(signed_in)).status_code == 401
    form = {"username": pat.email, "password": PASSWORD}
    assert (await client.post("/api/auth/login", data=form)).status_code == 401
    assert (await me(await login(pat.email, NEW))).status_code == 200


async def test_role_and_locations_count_for_the_sign_in_that_is_there(
    deps: Deps, pat: users.User, make_user: MakeUser, login: Login, me: Ask
) -> None:
    await make_user("agent", ("South",))
    signed_in = await login(pat.email)

    async def seen() -> tuple[str, list[str]]:
        user = (await me(signed_in)).json()["user"]
        return user["role"], [place["name"] for place in user["locations"]]

    await _changed(deps, pat, added=["south"])
    assert await seen() == ("manager", ["North", "South"])
    await _changed(deps, pat, removed=["North"], role=Role.AGENT)
    assert await seen() == ("agent", ["South"])
    await _changed(deps, pat, locations=["North"])
    assert await seen() == ("agent", ["North"])
    await _changed(deps, pat, role=Role.ADMIN)
    assert await seen() == ("admin", ["North", "South"])
    await _changed(deps, pat, added=["East"], zone="America/New_York")
    assert await seen() == ("admin", ["East", "North", "South"])


async def test_what_somebody_might_change_until_now_stays_known_for_edits_that_come_later(
    deps: Deps, pat: users.User, make_user: MakeUser
) -> None:
    """As an administrator through the role, without a grant; else by the grant's own trigger."""
    boss = await make_user("admin", ("South",))
    await make_user("admin", ())

    gone = await _changed(deps, pat, locations=["South"])
    await _changed(deps, boss, role=Role.MANAGER)

    async with deps.pool.acquire() as connection:
        [mine] = await history.past_grants(connection, pat.id)
        [bosses] = await history.past_grants(connection, boss.id)
        north = await users.location_named(connection, "North")
    assert north is not None
    assert mine.scope == bosses.scope == north.id
    assert bosses.from_ms <= mine.until_ms <= bosses.until_ms
    assert [place.name for place in gone.locations] == ["South"]


async def test_each_change_is_in_the_audit_log_by_ids_and_chained(
    deps: Deps, pat: users.User, make_user: MakeUser
) -> None:
    await make_user("agent", ("South",))

    await _changed(deps, pat, added=["South"], role=Role.AGENT, password=NEW)

    [entry] = await _entries(deps)
    async with deps.pool.acquire() as connection:
        south = await users.location_named(connection, "South")
    assert south is not None
    assert (entry.role, entry.action, entry.outcome) == ("command line", "change_user", "allowed")
    assert (entry.actor_id, entry.locations) == (None, (south.id,))
    assert orjson.loads(entry.detail) == {
        "user": pat.id,
        "role": "agent",
        "granted": [south.id],
        "password": True,
    }
    assert pat.email not in entry.detail
    assert not (await audit_proof.verify(deps.pool, deps.settings.server_dir)).faults


PAT, BOSS = "pat@brokerage.example", "boss@brokerage.example"
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("nobody@brokerage.example", {"disabled": True}, "email", "no user"),
    ("\udcff@brokerage.example", {"disabled": True}, "email", "no user"),
    (PAT, {}, "change-user", "nothing to change"),
    (PAT, {"disabled": False, "role": Role.MANAGER}, "change-user", "nothing to change"),
    (PAT, {"locations": ["North"]}, "change-user", "nothing to change"),
    (PAT, {"added": ["Nowhere"]}, "location", "no location 'Nowhere'"),
    (PAT, {"removed": ["Nowhere"]}, "location", "no location 'Nowhere'"),
    (PAT, {"removed": ["South"]}, "location", "not granted"),
    (PAT, {"added": ["South"], "removed": ["south"]}, "location", "both"),
    (PAT, {"locations": ["South"], "added": ["North"]}, "locations", "Either"),
    (PAT, {"added": ["East", "Demo"], "zone": "UTC"}, "location", "demo"),
    (PAT, {"password": "short"}, "password", "too short"),
    (BOSS, {"disabled": True}, "role", "last administrator"),
    (BOSS, {"role": Role.MANAGER}, "role", "last administrator"),
]


async def test_what_cannot_be_done_is_told_and_nothing_is_changed(
    deps: Deps, pat: users.User, make_user: MakeUser
) -> None:
    boss = await make_user("admin", ("South",), email=BOSS)
    await make_user("admin", ("Demo",), email="admin@demo.example", demo=True)
    await _changed(deps, await make_user("admin", ()), disabled=True)

    for email, wrong, where, says in REFUSED:
        with pytest.raises(errors.InputError, match=says) as told:
            await user_changes.change(deps, email, Change(**wrong))
        assert told.value.where == where, says

    async with deps.pool.acquire() as connection:
        assert [await users.by_id(connection, one.id) for one in (pat, boss)] == [pat, boss]
        assert [place.name for place in await users.locations_of(connection, pat)] == ["North"]
        assert len(await users.all_locations(connection)) == 3
    assert len(await _entries(deps)) == 1


async def test_an_administrator_may_go_where_another_stays(deps: Deps, make_user: MakeUser) -> None:
    one, other = await make_user("admin", ()), await make_user("admin", ())

    await _changed(deps, one, disabled=True)

    with pytest.raises(errors.InputError, match="last administrator"):
        await _changed(deps, other, disabled=True)
