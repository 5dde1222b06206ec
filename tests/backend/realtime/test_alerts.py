"""Alerts: told as they come, the open ones to who arrives, the missed ones to who was away."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from backend import deps as parts
from backend.deps import Deps
from backend.realtime import resume
from backend.services.bi import alerts
from backend.services.bi.alerts import Finding, State
from backend.settings import Settings
from tests.backend.realtime.installation import another_server, key_of, place_of
from tests.backend.realtime.talking import heard, heard_of, opened, say
from tests.serving import LiveServer, Login, MakeUser, SignedIn
from tests.waiting import until

pytestmark = pytest.mark.anyio

PATH = "/ws/bot-performance/all"
RULES = ["of the test"]  # none that the job looks after


async def found(deps: Deps, key: int, place: str, *subjects: str, severity: str = "high") -> None:
    """What the rules find there now: alerts open, and those of other subjects close."""
    findings = [
        Finding(rule=RULES[0], subject=one, location_key=key, state=State.FIRING, severity=severity, title=one)
        for one in subjects
    ]  # fmt: skip
    places: Mapping[int, str] = {key: place}

    async def applied() -> bool:
        """Not while the server's own job is at it."""
        return await alerts.apply(deps, findings, rules=RULES, places=places) != alerts.Changes()

    await until(applied)


@pytest.fixture
async def key(deps: Deps, boss: SignedIn) -> int:
    return await key_of(deps, place_of(boss))


async def test_an_alert_is_told_when_it_opens_and_when_it_closes(
    deps: Deps, live_server: LiveServer, boss: SignedIn, key: int
) -> None:
    async with opened(live_server, PATH, boss.headers) as socket:
        await say(socket, type="subscribe_channel", channel="alerts")
        first = await heard_of(socket, type="snapshot", channel="alerts")
        await found(deps, key, place_of(boss), "lead-bot", severity="critical")
        told = await heard_of(socket, type="update", channel="alerts")
        await found(deps, key, place_of(boss))
        ended = await heard_of(socket, type="update", channel="alerts")

    assert first["data"] == {"alerts": []}
    (one,) = told["data"]["alerts"]
    assert (one["event"], one["alert"]["subject"], one["alert"]["severity"]) == (
        "opened",
        "lead-bot",
        "critical",
    )
    assert ended["data"]["alerts"][0]["event"] == "closed"
    assert ended["offset"] > told["offset"] > 0


async def test_who_comes_later_finds_the_open_ones(
    deps: Deps, live_server: LiveServer, boss: SignedIn, key: int
) -> None:
    await found(deps, key, place_of(boss), "lead-bot", "jorge-buyer")
    await found(deps, key, place_of(boss), "jorge-buyer")

    async with opened(live_server, PATH, boss.headers) as socket:
        await say(socket, type="subscribe_channel", channel="alerts")
        first = await heard_of(socket, type="snapshot", channel="alerts")

    assert [one["alert"]["subject"] for one in first["data"]["alerts"]] == ["jorge-buyer"]


async def test_another_office_s_alert_is_nobody_else_s(
    deps: Deps, live_server: LiveServer, boss: SignedIn, make_user: MakeUser, login: Login
) -> None:
    other = await login((await make_user(role="manager", locations=("Far away",))).email)
    theirs = await key_of(deps, place_of(other))
    async with opened(live_server, PATH, boss.headers) as socket:
        await say(socket, type="subscribe_channel", channel="alerts")
        await heard_of(socket, type="snapshot", channel="alerts")
        await found(deps, theirs, place_of(other), "lead-bot")
        with pytest.raises(TimeoutError):
            await heard_of(socket, 0.7, channel="alerts")


async def test_what_was_missed_is_told_by_whichever_gateway_one_comes_back_to(
    deps: Deps, server_settings: Settings, live_server: LiveServer, boss: SignedIn, key: int
) -> None:
    async with another_server(server_settings, deps) as there:
        async with (
            opened(live_server, PATH, boss.headers) as near,
            opened(there, PATH, boss.headers) as stays,
        ):
            for socket in (near, stays):
                await say(socket, type="subscribe_channel", channel="alerts")
                await heard_of(socket, type="snapshot", channel="alerts")
            await found(deps, key, place_of(boss), "one")
            last = await heard_of(near, type="update", channel="alerts")
        async with opened(live_server, PATH, boss.headers) as near:
            await say(near, type="subscribe_channel", channel="alerts")
            await heard_of(near, type="snapshot", channel="alerts")
            for subjects in (("one", "two"), ("one", "two", "three")):
                await found(deps, key, place_of(boss), *subjects)
                await heard_of(near, type="update", channel="alerts")

        async with opened(there, PATH) as back:
            point = {"channel": "alerts", "epoch": last["epoch"], "offset": last["offset"]}
            await say(back, token=boss.access_token, resume=[point])
            resumed = await heard_of(back, type="resumed", channel="alerts")
            missed = await heard_of(back, type="update", channel="alerts")

    assert resumed["offset"] == point["offset"] < missed["offset"]  # cut between the two, it may ask again
    assert [one["alert"]["subject"] for one in missed["data"]["alerts"]] == ["two", "three"]


async def test_an_alert_that_two_gateways_heard_has_one_place_in_the_ring(deps: Deps) -> None:
    first = [await resume.add(deps, "a", "event", b"{}") for _ in range(2)]
    later = await resume.add(deps, "a", "another", b"{}")

    assert len(set(first)) == 1
    assert later > first[0]
    assert [entry.event_id for entry in await resume.recent(deps, ["a", "b"])] == ["event", "another"]


async def test_the_ring_holds_the_last_256_and_who_is_further_behind_gets_a_snapshot(
    deps: Deps, live_server: LiveServer, boss: SignedIn
) -> None:
    place = place_of(boss)
    offsets = [await resume.add(deps, place, str(number), b'{"event":"x"}') for number in range(300)]
    epoch = await resume.epoch(deps)
    async with opened(live_server, PATH, boss.headers) as socket:
        await heard(socket)
        for offset, expected in ((offsets[10], "snapshot"), (offsets[-1], "resumed")):
            await say(socket, type="resume", channel="alerts", epoch=epoch, offset=offset)
            assert (await heard(socket))["type"] == expected

    assert len(await resume.recent(deps, [place])) == resume.RING


async def test_without_the_hub_what_is_stored_is_told_a_little_later(
    deps: Deps, server_settings: Settings, live_server: LiveServer, boss: SignedIn, key: int
) -> None:
    async with opened(live_server, PATH, boss.headers) as socket:
        await say(socket, type="subscribe_channel", channel="alerts")
        await heard_of(socket, type="snapshot", channel="alerts")
        async with parts.open_deps(server_settings, channel_prefix="nobody:") as elsewhere:
            await found(elsewhere, key, place_of(boss), "lead-bot")
        for group in live_server.app.state.gateway._groups.values():
            group.touch()
        told = await heard_of(socket, type="update", channel="alerts")

    assert told["data"]["alerts"][0]["event"] == "opened"
