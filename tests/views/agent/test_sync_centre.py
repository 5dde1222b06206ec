"""The sync centre on the screen: honest words, and a person's choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import flet as ft
import pytest

from domain import errors, tables
from services.user import Role
from storage import blobs, cursor, outbox, rebase
from tests import screen
from tests.services.conftest import AGENT, OTHER, Bench, in_days
from tests.services.test_conflicts import conflict, duplicate
from tests.services.test_sync_centre import park
from tests.views.agent import field

pytestmark = pytest.mark.anyio


# --- the lamps -----------------------------------------------------------------------------------------------------


async def test_nothing_waiting_is_said_by_both_lamps(bench: Bench) -> None:
    bench.online()
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Nothing waits here")
        assert phone.sees("The server has everything")


async def test_a_server_that_was_not_heard_of_lately_is_not_said_to_have_everything(bench: Bench) -> None:
    bench.online()
    bench.clock.advance(11 * 60)
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Not heard of lately")
        assert not phone.sees("The server has everything")


async def test_offline_work_is_safe_on_this_phone_and_named(bench: Bench) -> None:
    at = bench.clock.now() + timedelta(minutes=4)
    bench.sync.now = replace(bench.sync.now, next_try_at=at)
    async with field.opened(bench, "/sync") as phone:
        bench.sv.leads.edit(bench.lead(), motivation="job")
        await phone.settle()

        assert phone.sees("1 change waits here")
        assert phone.sees("On computer")
        assert phone.sees("of Ann Lee")
        assert phone.sees("Motivation: Job")
        assert phone.sees("next try at 14:04")
        assert not phone.sees("The server has everything")


async def test_send_now_asks_the_engine(bench: Bench) -> None:
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("send-now")

    assert bench.sync.sent == 1


async def test_staying_offline_is_a_persons_choice_and_said_with_what_waits_for_it(bench: Bench) -> None:
    bench.online()
    bench.sv.tasks.create("Call Ann")
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("force-offline")

        assert phone.sees("Offline, as you chose")
        assert phone.sees("Goes when you go online")

    assert bench.sync.now.forced_offline


async def test_the_first_download_shows_how_far_it_is_in_rows(bench: Bench) -> None:
    bench.sync.now = replace(
        bench.sync.now, online=True, first_sync=0.62, first_done=13_640, first_total=22_000
    )
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("62 %")
        assert phone.sees("13,640 of 22,000 rows · you can start")


# --- recordings ----------------------------------------------------------------------------------------------------


async def test_a_recording_on_its_way_shows_its_bytes_and_a_refused_one_is_sent_anew(bench: Bench) -> None:
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    (sound,) = blobs.unsent(bench.db)
    with bench.db.write_tx() as tx:
        blobs.progressed(tx, sound.id, url="/x", sent=1)
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("1 B of 4 B · 25 %")

        with bench.db.write_tx() as tx:
            blobs.failed(tx, sound.id, "Too long.", for_good=True)
        await phone.settle()
        assert phone.sees("Too long.")
        await phone.tap(f"retry-sound-{sound.id}")

        assert not phone.sees("Too long.")


async def test_a_recording_that_is_refused_can_be_kept_as_a_file_and_given_up_after_a_question(
    bench: Bench,
) -> None:
    await bench.sv.notes.attach(b"RIFF", "a.wav")
    (sound,) = blobs.unsent(bench.db)
    with bench.db.write_tx() as tx:
        blobs.failed(tx, sound.id, "No such note.", for_good=True)
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Export")
        await phone.tap(f"discard-sound-{sound.id}")
        assert phone.sees("Discard this recording?")
        assert blobs.unsent(bench.db)
        await phone.tap("dialog-yes")

        assert blobs.unsent(bench.db) == []


# --- what is in the way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        (errors.NotOurServerError("HTML."), "This network wants a sign-in"),
        (errors.VersionMismatchError("Old."), "Update the app"),
        (errors.DiskFullError("Full."), "This device is full"),
        (errors.ForbiddenError("No."), "No access any more"),
        (errors.ServerFaultError("500"), "The server is busy"),
        (errors.SyncError("Odd words."), "Odd words."),
    ],
)
async def test_what_is_in_the_way_is_said_with_what_to_do(
    bench: Bench, fault: errors.JorgeError, title: str
) -> None:
    bench.sync.now = replace(bench.sync.now, online=True, fault=fault)
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees(title)


@pytest.mark.parametrize(
    ("ahead_h", "title"), [(3, "Your clock is 3 h fast"), (-2, "Your clock is 2 h slow")]
)
async def test_a_wrong_clock_is_said_in_hours(bench: Bench, ahead_h: int, title: str) -> None:
    with bench.db.write_tx() as tx:
        cursor.put(tx, clock_offset_ms=str(-ahead_h * 3600 * 1000))
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees(title)


async def test_the_password_is_asked_in_its_place_and_what_waits_stays(bench: Bench) -> None:
    bench.sv.tasks.create("Call Ann")
    bench.sync.now = replace(bench.sync.now, needs_sign_in=True)
    async with field.opened(bench, "/sync") as phone:
        await phone.type("Password", "wrong")
        await phone.tap("sign-in-again")
        assert phone.sees("E-mail or password is wrong.")

        await phone.type("Password", "demo")
        await phone.tap("sign-in-again")

        assert phone.sees("You are signed in again")
        assert phone.sees("New task Call Ann")


# --- what the server refused ---------------------------------------------------------------------------------------


async def test_a_refused_change_says_why_and_is_sent_again(bench: Bench) -> None:
    bench.sv.leads.edit(bench.lead(motivation="mixed"), motivation="job")
    park(bench, "leads", message="This lead was closed by the office.")
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("This lead was closed by the office.")
        assert phone.sees("Motivation: Job")
        assert phone.sees("Server: Mixed")
        await phone.tap("Send again")

        assert outbox.counts(bench.db).parked == 0


async def test_correcting_leads_to_the_lead_with_the_value_ready(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=65_000_000)
    bench.sv.leads.edit(lead_id, price_cents=10**12)
    park(bench, "leads", code="bad_value", message="price_cents is beyond its range.")
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Correct it")

        assert phone.route == f"/leads/lead/{lead_id}"
        assert phone.sees("Price is beyond its range.")
        typed = phone.find("Price", ft.TextField)[-1]
        assert isinstance(typed, ft.TextField)
        assert typed.value == "$10,000,000,000"
        assert phone.sees("Server: $650,000")
        await phone.type("Price", "640k")
        await phone.tap("Save and send")

        assert not phone.sees("Price is beyond its range.")
    assert bench.get("leads", lead_id)["price_cents"] == 64_000_000
    assert outbox.counts(bench.db).parked == 0


async def test_a_correction_that_is_wrong_too_is_said_and_nothing_is_lost(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, email="a@x.org")
    park(bench, "leads", code="bad_value")
    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        await phone.type("E-mail", "nonsense")
        await phone.tap("Save and send")

        assert phone.sees("This is no e-mail address.")
    assert outbox.counts(bench.db).parked == 1


async def test_a_refused_task_is_corrected_on_a_page_of_its_own(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call Ann")
    park(bench, "tasks", code="bad_value", message="title is too long.")
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Correct it")
        await phone.type("Title", "Call Ann Lee")
        await phone.tap("Save and send")

        assert phone.sees("This is settled")
    assert bench.get("tasks", task_id)["title"] == "Call Ann Lee"


async def test_a_refused_change_is_discarded_after_it_was_said_what_is_lost_and_comes_back(
    bench: Bench,
) -> None:
    lead_id = bench.lead(motivation="divorce")
    bench.sv.leads.edit(lead_id, motivation="job")
    park(bench, "leads")
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Discard")
        assert phone.sees("Lost with it: Motivation: Job.")
        assert bench.get("leads", lead_id)["motivation"] == "job"
        await phone.tap("dialog-yes")
        assert bench.get("leads", lead_id)["motivation"] == "divorce"

        await phone.tap("Undo")

        assert bench.get("leads", lead_id)["motivation"] == "job"


async def test_a_row_that_was_deleted_meanwhile_comes_back_with_my_edit(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, motivation="job")
    park(bench, "leads", code="row_deleted", message="Somebody deleted this meanwhile.")
    with bench.db.write_tx() as tx:
        rebase.set_base(tx, tables.LEADS, lead_id, rebase.Base(ver=7, values=None))
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Somebody deleted this meanwhile.")
        await phone.tap("Restore with my edit")

    assert [line.mutation.op for line in outbox.listed(bench.db)] == ["put"]


# --- two people ----------------------------------------------------------------------------------------------------


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
        assert phone.sees("Kim")
        assert phone.sees("today 14:00")
        assert phone.sees("Until somebody decides, the value of Kim counts.")


async def test_taking_mine_writes_my_value_again(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict(bench, lead_id)
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("Take mine")

        assert not phone.sees("Take mine")
    assert bench.get("leads", lead_id)["price_cents"] == 620


async def test_a_decided_conflict_keeps_both_values_and_the_other_is_one_tap_away(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict_id = conflict(bench, lead_id)
    async with field.opened(bench, f"/sync/conflict/{conflict_id}") as phone:
        assert phone.sees("Before both changes")
        await phone.tap("Keep Kim's")
        assert phone.sees("Decided")
        assert phone.sees("Pat, today 14:00")

        await phone.tap("Take mine")

        assert phone.sees("Use Kim's")
    assert bench.get("leads", lead_id)["price_cents"] == 620


async def test_who_lost_to_a_rule_is_told_on_every_screen_until_they_have_seen_it(bench: Bench) -> None:
    conflict_id = conflict(
        bench,
        bench.lead(motivation="job"),
        unit="motivation",
        policy="newest",
        status="settled",
        winner={"motivation": "job"},
        loser={"motivation": "divorce"},
    )
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Another value counts now")
        assert phone.sees("The later change counts")
        await phone.tap(f"seen-{conflict_id}")

        assert not phone.sees("Another value counts now")


async def test_what_a_rule_took_comes_back_with_one_tap(bench: Bench) -> None:
    lead_id = bench.lead(motivation="job")
    conflict(
        bench,
        lead_id,
        unit="motivation",
        policy="newest",
        status="settled",
        winner={"motivation": "job"},
        loser={"motivation": "divorce"},
    )
    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert phone.sees("You wrote Divorce, today 14:00")
        await phone.tap("Take mine back")

        assert not phone.sees("You wrote Divorce")
        await phone.tap("settled-differences")
        assert phone.sees("Use Kim's")
    assert bench.get("leads", lead_id)["motivation"] == "divorce"


async def test_an_open_difference_stands_below_its_field_and_is_settled_there(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=65_000_000)
    conflict_id = conflict(
        bench, lead_id, winner={"price_cents": 65_000_000}, loser={"price_cents": 62_000_000}
    )
    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        assert phone.sees("You wrote $620,000, today 14:00")
        await phone.tap(f"beside-price_cents-{conflict_id}")

        assert not phone.sees("You wrote $620,000")
    assert bench.get("leads", lead_id)["price_cents"] == 62_000_000


@pytest.mark.parametrize("size", [screen.PHONE, screen.DESKTOP])
async def test_two_leads_that_may_be_one_stand_side_by_side(bench: Bench, size: tuple[float, float]) -> None:
    one, other = bench.lead(), bench.lead(name="Anna Lee", agent_id=OTHER)
    conflict_id = duplicate(bench, one, other)
    async with field.opened(bench, f"/leads/lead/{other}", size=size) as phone:
        assert phone.sees("The same person twice?")
        assert phone.sees("the same phone")
        assert phone.sees("Ann Lee")
        assert phone.sees("Kim")
        await phone.tap(f"merge-{conflict_id}")
        await phone.tap("dialog-yes")

        assert not phone.sees("The same person twice?")
    assert bench.get("conflicts", conflict_id)["resolution"] == "merge"


async def test_two_people_stay_two(bench: Bench) -> None:
    conflict_id = duplicate(bench, bench.lead(), bench.lead(name="Anna Lee"))
    async with field.opened(bench, "/sync") as phone:
        await phone.tap(f"two-{conflict_id}")

    assert bench.get("conflicts", conflict_id)["resolution"] == "keep_both"
    assert bench.get("conflicts", conflict_id)["resolved_by"] == AGENT


# --- looking after the device --------------------------------------------------------------------------------------


async def test_comparing_says_its_result_and_when_it_was_cut_off(bench: Bench) -> None:
    async with field.opened(bench, "/sync") as phone:
        assert phone.sees("Not compared on this device yet.")
        await phone.tap("compare")
        await phone.until("The comparison did not come to its end.")

        now = bench.clock.now()
        bench.sync.result = {"compared_at": now, "compared_equal": True, "compared_rows": 22_010}
        await phone.tap("compare")
        await phone.until("Equal: 22,010 rows, just now")

        later = {"compared_at": now + timedelta(seconds=1), "compared_equal": False, "compared_rows": 22_010}
        bench.sync.result = later
        await phone.tap("compare")
        await phone.until("Something differed and was repaired: 22,010 rows")


async def test_room_is_told_by_area_with_the_rows_of_each_table(bench: Bench) -> None:
    bench.lead()
    async with field.opened(bench, "/sync") as phone:
        await phone.until("Search index")

        assert phone.sees("Leads 1")
        assert phone.sees(" free")


async def test_the_log_is_folded_away_until_asked_for(bench: Bench) -> None:
    bench.sv.tasks.create("Call", due_at=in_days(bench, 1))
    async with field.opened(bench, "/sync") as phone:
        assert not phone.sees("Nothing noted yet.")
        await phone.tap("diary")

        assert phone.sees("Nothing noted yet.")
        assert phone.all_of(ft.Switch)


async def test_the_export_offers_everything_or_the_log_alone(bench: Bench) -> None:
    async with field.opened(bench, "/sync") as phone:
        await phone.tap("export")

        assert phone.sees("All that waits")
        assert phone.sees("It holds no names and no contents.")


async def test_the_list_of_devices_is_there_for_managers_only(
    bench: Bench, make_bench: Callable[..., Bench]
) -> None:
    async with field.opened(bench, "/sync") as phone:
        assert not phone.sees("Devices of the brokerage")
    async with field.opened(make_bench(Role.MANAGER), "/sync") as phone:
        assert phone.sees("Devices of the brokerage")


async def test_a_pair_says_of_each_whose_it_is_where_it_came_from_and_when_it_was_added(bench: Bench) -> None:
    one = bench.lead(source="zillow")
    other = bench.lead(name="Anna Lee", agent_id=None, source="open_house")
    duplicate(bench, one, other)
    async with field.opened(bench, f"/leads/lead/{one}") as phone:
        for words in ("Zillow", "Open house", "Nobody yet", "today 14:00", "the same in both"):
            assert phone.sees(words), words


async def test_what_others_have_to_decide_is_folded_away_and_can_be_looked_at(bench: Bench) -> None:
    bench.online()
    duplicate(bench, bench.lead(agent_id=None), bench.lead(name="A. Lee", agent_id=None))
    async with field.opened(bench, "/sync") as phone:
        assert not phone.sees("Needs you")
        assert phone.sees("The server has everything")

        await phone.tap("1 difference is for others to decide")

        assert phone.sees("The same person twice?")


async def test_a_lost_value_is_told_on_the_lead_before_an_unrelated_pair(bench: Bench) -> None:
    lead_id = bench.lead()
    duplicate(bench, lead_id, bench.lead(name="A. Lee"))
    conflict(bench, lead_id, unit="motivation", policy="newest", status="settled")
    async with field.opened(bench, f"/leads/lead/{lead_id}") as phone:
        both = ["Another value counts now", "The same person twice?"]
        assert screen.order(phone, both) == both
