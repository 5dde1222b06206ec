"""Two people changed the same: one decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import errors, ids, values
from services.sync_words import SyncWord
from services.user import Role
from tests.services.conftest import AGENT, OTHER, Bench


def conflict(bench: Bench, lead_id: str, **fields: object) -> str:
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


def test_what_is_decided_is_not_decided_again(bench: Bench) -> None:
    conflict_id = conflict(bench, bench.lead())
    bench.sv.conflicts.keep_winner(conflict_id)

    with pytest.raises(errors.RuleError, match="decided already"):
        bench.sv.conflicts.restore_loser(conflict_id)


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
