"""Who wins when two people changed the same row, policy by policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import merge, tables
from domain.merge import Change, Outcome
from domain.tables import Policy

THEM = "them"


def merged(
    table: tables.Table = tables.LEADS,
    *,
    server: Mapping[str, Any],
    patch: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    changed: tuple[str, ...] = (),
    edit_ms: int = 200,
) -> Outcome:
    """A patch made at version 1 on a row whose fields `changed` were written at version 2, time 100."""
    return merge.merge(
        table,
        server=server,
        changes={name: Change(ver=2, at_ms=100, by=THEM) for name in changed},
        patch=patch,
        base=base or {},
        base_ver=1,
        edit_ms=edit_ms,
    )


def test_what_nobody_else_touched_is_applied() -> None:
    outcome = merged(server={"name": "a", "phone": "1"}, patch={"name": "b"}, changed=("phone",))
    assert (outcome.apply, outcome.conflicts) == ({"name": "b"}, ())


def test_the_same_value_twice_is_no_conflict() -> None:
    outcome = merged(server={"name": "b"}, patch={"name": "b"}, changed=("name",))
    assert (outcome.apply, outcome.conflicts) == ({}, ())


@pytest.mark.parametrize(("edit_ms", "wins"), [(101, True), (100, True), (99, False)])
def test_the_newer_of_two_edits_wins_and_both_values_are_told(edit_ms: int, wins: bool) -> None:
    outcome = merged(
        server={"name": "theirs"},
        patch={"name": "mine"},
        base={"name": "a"},
        changed=("name",),
        edit_ms=edit_ms,
    )
    assert outcome.apply == ({"name": "mine"} if wins else {})
    (conflict,) = outcome.conflicts
    assert (conflict.applied, conflict.base, conflict.server, conflict.incoming) == (
        wins,
        {"name": "a"},
        {"name": "theirs"},
        {"name": "mine"},
    )


@pytest.mark.parametrize(("edit_ms", "kept"), [(101, {"score": 71.0}), (99, {})])
def test_what_our_rules_work_out_is_nobodys_conflict(edit_ms: int, kept: dict[str, float]) -> None:
    outcome = merged(server={"score": 60.0}, patch={"score": 71.0}, changed=("score",), edit_ms=edit_ms)

    assert (outcome.apply, outcome.conflicts) == (kept, ())


def test_an_address_wins_or_loses_whole() -> None:
    base = {"address": "1 Elm", "city": "Upland", "state": "CA", "zip": "91784", "lat": 1.0, "lon": 2.0}
    server = {**base, "city": "Ontario", "zip": "91761"}
    outcome = merged(server=server, patch={"address": "2 Oak"}, base=base, changed=("city", "zip"))
    assert {**server, **outcome.apply} == {**base, "address": "2 Oak"}


def test_money_and_stage_stay_until_a_person_chooses() -> None:
    for patch, field in (({"price_cents": 2}, "price_cents"), ({"stage": "met"}, "stage")):
        outcome = merged(server={field: "theirs"}, patch=patch, base={field: "old"}, changed=(field,))
        assert outcome.apply == {}
        assert [conflict.policy for conflict in outcome.conflicts] == [Policy.MANUAL]


def test_prose_of_both_is_kept() -> None:
    outcome = merged(
        tables.NOTES, server={"text": "pool"}, patch={"text": "garage"}, base={"text": ""}, changed=("text",)
    )
    assert outcome.apply == {"text": "pool\n\ngarage"}
    assert outcome.conflicts[0].applied


def test_prose_changed_in_different_sentences_becomes_one_text() -> None:
    outcome = merged(
        tables.NOTES,
        server={"text": "Roof is old. Wants 400."},
        patch={"text": "Roof is new. Wants 450."},
        base={"text": "Roof is new. Wants 400."},
        changed=("text",),
    )
    assert outcome.apply == {"text": "Roof is old. Wants 450."}
    assert len(outcome.conflicts) == 1


def test_prose_changed_in_the_same_sentence_is_kept_twice() -> None:
    outcome = merged(
        tables.NOTES,
        server={"text": "At 5 pm."},
        patch={"text": "At 4 am."},
        base={"text": "At 4 pm."},
        changed=("text",),
    )
    assert outcome.apply == {"text": "At 5 pm.\n\nAt 4 am."}


def test_an_opt_out_is_for_ever_and_a_new_one_always_counts() -> None:
    kept = merged(server={"opted_out": True, "opted_out_words": "stop"}, patch={"opted_out": False})
    assert kept.apply == {}
    new = merged(server={"opted_out": False}, patch={"opted_out": True}, changed=("opted_out",), edit_ms=1)
    assert new.apply == {"opted_out": True}


def test_what_is_set_once_is_never_changed() -> None:
    assert merged(server={"created_at": "a"}, patch={"created_at": "b"}).apply == {}


LISTS = st.lists(st.sampled_from("abcdef"), unique=True)


@given(base=LISTS, theirs=LISTS, mine=LISTS)
def test_lists_keep_every_addition_and_every_removal(
    base: list[str], theirs: list[str], mine: list[str]
) -> None:
    outcome = merged(server={"tags": theirs}, patch={"tags": mine}, base={"tags": base}, changed=("tags",))
    result = outcome.apply.get("tags", theirs)
    kept = set(base) & set(theirs) & set(mine)
    added = (set(theirs) | set(mine)) - set(base)
    assert set(result) == kept | added
    assert len(result) == len(set(result))


@given(st.integers(), st.integers(), st.integers())
def test_an_edit_counts_as_made_between_what_it_saw_and_its_arrival(
    edit: int, seen: int, received: int
) -> None:
    clamped = merge.clamp_edit_ms(edit, seen_server_ms=seen, received_ms=received)
    assert min(seen, received) <= clamped <= received
    if seen <= edit <= received:
        assert clamped == edit
