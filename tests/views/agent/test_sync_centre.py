"""The sync centre and a conflict on the screen: honest words, and a person's choices."""

from __future__ import annotations

from dataclasses import replace

import flet as ft
import pytest

from storage import outbox
from tests.services.conftest import Bench, in_days
from tests.services.test_conflicts import conflict
from tests.services.test_sync_centre import park
from tests.views.agent import field

pytestmark = pytest.mark.anyio


async def test_nothing_waiting_is_said_by_both_lamps(bench: Bench) -> None:
    bench.online()
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Nothing waits here")
        assert phone.sees("The server has everything")


async def test_offline_work_is_safe_on_this_phone_and_named(bench: Bench) -> None:
    async with field.opened(bench, "/sync") as phone:
        bench.sv.leads.edit(bench.lead(), motivation="job")
        await phone.settle()

        assert phone.sees("1 change waits here")
        assert phone.sees("On phone")
        assert phone.sees("of Ann Lee")
        assert not phone.sees("The server has everything")


async def test_send_now_asks_the_engine(bench: Bench) -> None:
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("send-now")

    assert bench.sync.sent == 1


async def test_staying_offline_is_a_persons_choice(bench: Bench) -> None:
    bench.online()
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("force-offline")

    assert bench.sync.now.forced_offline


async def test_a_refused_change_says_why_and_is_sent_again(bench: Bench) -> None:
    bench.sv.leads.edit(bench.lead(), motivation="job")
    park(bench, "leads", message="This lead was closed by the office.")
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("This lead was closed by the office.")
        assert phone.sees("Motivation: Job")
        await phone.tap("Try again")

        assert outbox.counts(bench.db).parked == 0


async def test_a_refused_change_is_given_up_only_after_a_question(bench: Bench) -> None:
    lead_id = bench.lead(motivation="divorce")
    bench.sv.leads.edit(lead_id, motivation="job")
    park(bench, "leads")
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Give up change")
        assert bench.get("leads", lead_id)["motivation"] == "job"
        await phone.tap("dialog-yes")

    assert bench.get("leads", lead_id)["motivation"] == "divorce"


async def test_a_conflict_shows_both_values_with_author_and_time(bench: Bench) -> None:
    conflict(
        bench,
        bench.lead(price_cents=65_000_000),
        winner={"price_cents": 65_000_000},
        loser={"price_cents": 62_000_000},
    )
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("$620,000")
        assert phone.sees("$650,000")
        assert phone.sees("Kim · today")
        assert phone.sees("Pat · today")
        assert phone.sees("The office's value counts until you decide.")


async def test_keeping_mine_writes_my_value_again(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict(bench, lead_id)
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Keep mine")

        assert not phone.sees("Keep mine")
    assert bench.get("leads", lead_id)["price_cents"] == 620


async def test_one_conflict_opens_with_its_history_and_is_decided_there(bench: Bench) -> None:
    conflict_id = conflict(bench, bench.lead(price_cents=650))
    async with field.opened(bench, f"/sync/conflict/{conflict_id}") as phone:
        assert phone.sees("Before both changes")
        assert phone.sees("History of this entry")
        await phone.tap("Use office")

        assert phone.sees("Decided")
        assert not phone.sees("Keep mine")


async def test_the_first_download_shows_how_far_it_is(bench: Bench) -> None:
    bench.sync.now = replace(bench.sync.now, online=True, first_sync=0.62)
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Downloading your area")
        assert phone.sees("62 %")


async def test_the_diary_is_folded_away_until_asked_for(bench: Bench) -> None:
    bench.sv.tasks.create("Call", due_at=in_days(bench, 1))
    async with field.opened(bench, "/sync") as phone:
        assert not phone.sees("Nothing noted yet.")
        await phone.tap("diary")

        assert phone.sees("Nothing noted yet.")
        assert phone.all_of(ft.Switch)
