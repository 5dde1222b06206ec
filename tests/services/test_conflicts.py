"""Two people changed the same: one decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import errors, ids, tables, values
from services.conflicts import Kind
from services.sync_centre import Lamp
from services.sync_words import SyncWord
from services.user import Role
from storage import outbox, outbox_writes, rebase
from tests.services.conftest import AGENT, MANAGER, OTHER, Bench, in_days


def conflict(bench: Bench, lead_id: str, **fields: object) -> str:
    """As the server tells of it; unless said otherwise, this person's price lost to Kim's and waits for a decision."""
    row_id = ids.new_id()
    at = values.time_text(bench.clock.now())
    row = {
        "tbl": "leads",
        "row_id": lead_id,
        "lead_id": lead_id,
        "unit": "price",
        "policy": "manual",
        "base": {"price_cents": 1, "price_on": "2026-01-01"},
        "winner": {"price_cents": 650, "price_on": "2026-11-21"},
        "loser": {"price_cents": 620, "price_on": "2026-11-20"},
        "winner_by": OTHER,
        "winner_at": at,
        "loser_by": AGENT,
        "loser_at": at,
        "status": "open",
    }
    bench.server("conflicts", row_id, {**row, **fields})
    return row_id


def test_both_values_are_shown_with_who_and_when(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict(bench, lead_id)

    (item,) = bench.sv.leads.view(lead_id).conflicts

    assert [(field.name, field.winner, field.loser) for field in item.fields] == [
        ("price_cents", 650, 620),
        ("price_on", "2026-11-21", "2026-11-20"),
    ]
    assert (item.winner_by, item.loser_by, item.mine_won, item.lead_name) == ("Kim", "Pat", False, "Ann Lee")
    assert bench.sv.leads.view(lead_id).sync is SyncWord.NEEDS_YOU


def test_a_part_of_the_unit_that_one_of_the_two_never_saw_is_no_value_of_theirs(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict(bench, lead_id, base={}, loser={"price_cents": 620})

    (item,) = bench.sv.leads.view(lead_id).conflicts

    assert [(field.name, field.winner, field.loser) for field in item.fields] == [("price_cents", 650, 620)]


@pytest.mark.parametrize(
    ("role", "who_has_it", "settles"),
    [
        (Role.AGENT, AGENT, True),
        (Role.AGENT, OTHER, False),
        (Role.AGENT, None, False),
        (Role.MANAGER, None, True),
        (Role.MANAGER, OTHER, False),
    ],
)
def test_only_what_this_person_has_to_settle_colours_their_lamp(
    make_bench: Callable[..., Bench], role: Role, who_has_it: str | None, settles: bool
) -> None:
    bench = make_bench(role)
    bench.online()
    one, other = bench.lead(agent_id=who_has_it), bench.lead(name="A. Lee", agent_id=who_has_it)
    duplicate(bench, one, other)

    view = bench.sv.sync_centre.view()

    assert view.lamps.needs_you == int(settles)
    assert view.lamps.server is (Lamp.RED if settles else Lamp.GREEN)
    assert (view.mine.count, view.others.count) == (int(settles), int(not settles))


def test_who_wrote_one_of_two_values_has_to_settle_them_whosever_lead_it_is(bench: Bench) -> None:
    conflict(bench, bench.lead(agent_id=OTHER))

    assert bench.sv.conflicts.count_mine() == 1


def test_one_tap_restores_mine_as_a_whole_in_one_action(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650, price_on="2026-11-21")
    conflict_id = conflict(bench, lead_id)

    bench.sv.conflicts.keep_mine(conflict_id)

    lead, decided = bench.get("leads", lead_id), bench.get("conflicts", conflict_id)
    assert (lead["price_cents"], lead["price_on"]) == (620, "2026-11-20")
    assert (decided["status"], decided["resolution"], decided["resolved_by"]) == (
        "resolved",
        "restored",
        AGENT,
    )
    assert len({line["grp"] for line in bench.all("outbox")}) == 1
    assert bench.sv.conflicts.open_ones() == ()


def test_keeping_theirs_leaves_the_value_and_closes_the_conflict(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict_id = conflict(bench, lead_id)

    bench.sv.conflicts.keep_theirs(conflict_id)

    assert bench.get("leads", lead_id)["price_cents"] == 650
    assert bench.get("conflicts", conflict_id)["resolution"] == "kept"


def test_what_was_decided_is_turned_round_with_one_tap_and_the_history_stays(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650, price_on="2026-11-21")
    conflict_id = conflict(bench, lead_id)
    bench.sv.conflicts.keep_winner(conflict_id)

    bench.sv.conflicts.restore_loser(conflict_id)
    taken = bench.get("leads", lead_id)["price_cents"]
    bench.sv.conflicts.keep_winner(conflict_id)

    assert (taken, bench.get("leads", lead_id)["price_cents"]) == (620, 650)
    (past,) = bench.sv.conflicts.of_row("leads", lead_id, open_only=False)
    assert (past.status, past.resolution, past.mine_stands) == ("resolved", "kept", False)


def test_keeping_what_stands_never_undoes_a_later_edit(bench: Bench) -> None:
    lead_id = bench.lead(price_cents=650)
    conflict_id = conflict(bench, lead_id)
    bench.sv.leads.edit(lead_id, price_cents=700)

    bench.sv.conflicts.keep_winner(conflict_id)

    assert bench.get("leads", lead_id)["price_cents"] == 700


@pytest.mark.parametrize(
    ("decided", "told"),
    [
        ({"status": "settled", "policy": "newest"}, True),
        ({"status": "settled", "policy": "newest", "winner_by": AGENT, "loser_by": OTHER}, False),
        ({"status": "settled", "policy": "newest", "winner_by": AGENT}, False),
        ({"status": "settled", "policy": "text"}, False),
        ({"status": "resolved", "resolution": "kept", "resolved_by": MANAGER}, True),
        ({"status": "resolved", "resolution": "kept", "resolved_by": AGENT}, False),
        ({"status": "resolved", "resolution": "restored", "resolved_by": MANAGER}, False),
        ({"status": "open"}, False),
    ],
)
def test_whose_value_lost_without_their_doing_is_told(
    bench: Bench, decided: dict[str, object], told: bool
) -> None:
    conflict(bench, bench.lead(), **decided)

    assert (bench.sv.conflicts.count_lost() == 1) is told


def test_who_has_seen_that_their_value_lost_is_not_told_again(bench: Bench) -> None:
    conflict_id = conflict(bench, bench.lead(), status="settled", policy="newest")

    bench.sv.conflicts.seen([conflict_id])

    assert bench.sv.conflicts.lost() == ()


def test_a_loss_of_last_month_is_no_news(bench: Bench) -> None:
    month_ago = values.time_text(in_days(bench, -30))
    conflict(bench, bench.lead(), status="settled", policy="newest", created_at=month_ago)

    assert bench.sv.conflicts.lost() == ()


def duplicate(bench: Bench, one: str, other: str) -> str:
    """As the server finds it: two leads of two agents with one telephone number."""
    sides = {
        side: {"id": lead_id, "name": bench.get("leads", lead_id)["name"], "phone": "+15125550147"}
        for side, lead_id in (("winner", one), ("loser", other))
    }
    by_the_server: dict[str, object] = {"winner_by": None, "loser_by": None}
    return conflict(bench, one, unit="duplicate", policy="duplicate", **sides, **by_the_server)


def test_both_leads_of_a_pair_show_it_with_what_is_the_same(bench: Bench) -> None:
    one, other = bench.lead(), bench.lead(name="Anna Lee", email="a@x.org", agent_id=OTHER)
    duplicate(bench, one, other)

    (pair,), (same_pair,) = bench.sv.conflicts.pairs_of(one), bench.sv.conflicts.pairs_of(other)

    assert pair == same_pair
    assert (pair.one.name, pair.other.name, pair.other.agent_name) == ("Ann Lee", "Anna Lee", "Kim")
    assert pair.same == {"phone"}
    assert bench.sv.leads.view(one).conflicts == ()


@pytest.mark.parametrize(("answer", "resolution"), [("merge", "merge"), ("two_people", "keep_both")])
def test_a_person_tells_whether_two_leads_are_one(bench: Bench, answer: str, resolution: str) -> None:
    one, other = bench.lead(), bench.lead(name="Anna Lee")
    conflict_id = duplicate(bench, one, other)

    getattr(bench.sv.conflicts, answer)(conflict_id)

    stored = bench.get("conflicts", conflict_id)
    assert (stored["status"], stored["resolution"], stored["resolved_by"]) == ("settled", resolution, AGENT)
    assert bench.sv.conflicts.pairs_of(one) == ()


def test_a_twin_that_is_not_on_this_device_is_shown_as_the_server_wrote_it_down(bench: Bench) -> None:
    one = bench.lead()
    elsewhere = {"id": ids.new_id(), "name": "Anna Lee", "phone": "+15125550147"}
    conflict(bench, one, unit="duplicate", policy="duplicate", winner={"id": one}, loser=elsewhere)

    (pair,) = bench.sv.conflicts.pairs_of(one)

    assert (pair.one.here, pair.other.here, pair.other.name) == (True, False, "Anna Lee")


def test_a_note_for_a_deleted_lead_is_shown_with_its_words_and_kept(bench: Bench) -> None:
    note_id = bench.sv.notes.write_text("Roof needs  work.")
    sides: dict[str, object] = {"winner": {"deleted": True}, "loser": {"lead_id": ids.new_id()}}
    conflict_id = conflict(bench, note_id, tbl="notes", unit="lead_id", policy="delete", **sides)

    (item,) = bench.sv.conflicts.open_ones()
    bench.sv.conflicts.keep_winner(conflict_id)

    assert (item.kind, item.about) == (Kind.ORPHAN, "Roof needs work.")
    assert bench.sv.conflicts.open_ones() == ()
    with pytest.raises(errors.RuleError, match="no other value"):
        bench.sv.conflicts.restore_loser(conflict_id)


def test_a_deletion_is_taken_back_where_the_edit_still_is_and_nowhere_else(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.leads.edit(lead_id, motivation="job")
    with bench.db.write_tx() as tx:
        (line,) = outbox.listed(tx)
        outbox_writes.mark_parked(tx, line.mutation.mid, code="row_deleted", message="Deleted.")
        rebase.set_base(tx, tables.LEADS, lead_id, rebase.Base(ver=9, values=None))
    sides: dict[str, object] = {"winner": {"deleted": True}, "loser": {"motivation": "job"}}
    deleted: dict[str, object] = {"unit": "row", "policy": "delete", "winner_by": None, **sides}
    here = conflict(bench, lead_id, **deleted)
    elsewhere = conflict(bench, ids.new_id(), **deleted)

    bench.sv.conflicts.restore_loser(here)

    assert [line.mutation.op for line in outbox.listed(bench.db) if line.row == ("leads", lead_id)] == ["put"]
    with pytest.raises(errors.RuleError, match="not on this device"):
        bench.sv.conflicts.restore_loser(elsewhere)


def test_where_neither_is_mine_there_is_no_mine_to_keep(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Role.MANAGER)
    conflict_id = conflict(bench, bench.lead())

    with pytest.raises(errors.RuleError, match="Neither"):
        bench.sv.conflicts.keep_mine(conflict_id)
    bench.sv.conflicts.restore_loser(conflict_id)
    assert bench.get("conflicts", conflict_id)["resolution"] == "restored"


def test_an_agent_does_not_decide_about_deals(bench: Bench) -> None:
    conflict_id = conflict(bench, bench.lead(), tbl="deals", unit="money")

    with pytest.raises(errors.ForbiddenError, match="manager"):
        bench.sv.conflicts.restore_loser(conflict_id)
    assert bench.get("conflicts", conflict_id)["status"] == "open"


def test_a_task_is_restored_too_and_a_conflict_that_is_gone_says_so(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call")
    versions: dict[str, object] = {"winner": {"title": "Call"}, "loser": {"title": "Call twice"}}
    conflict_id = conflict(bench, task_id, tbl="tasks", unit="title", **versions)

    bench.sv.conflicts.keep_mine(conflict_id)

    assert bench.get("tasks", task_id)["title"] == "Call twice"
    for action in (bench.sv.conflicts.keep_mine, bench.sv.conflicts.keep_winner):
        with pytest.raises(errors.NotFoundError):
            action("gone")
