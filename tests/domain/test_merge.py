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


# A unit wins or loses whole, whatever part of it `base` holds

ADDRESS = ("address", "city", "zip")
EMPTY = dict.fromkeys(("state", "lat", "lon"))
SEEN = {"address": "1 A St", "city": "X", "zip": "1"}
THEIRS = {"address": "9 B St", "city": "Y", "zip": "2"}


def test_a_unit_whose_rest_its_author_is_not_known_to_have_seen_loses_whole_and_a_person_looks() -> None:
    outcome = merged(server=THEIRS, patch={"zip": "3"}, base={"zip": "1"}, changed=ADDRESS)

    assert outcome.apply == {}
    (conflict,) = outcome.conflicts
    assert (conflict.open, conflict.applied) == (True, False)
    assert (conflict.incoming, conflict.base) == (
        {"zip": "3", **EMPTY},
        {"zip": "1", **EMPTY},
    )


def test_a_base_of_the_patched_field_alone_does_not_hide_that_the_rest_of_the_unit_changed() -> None:
    outcome = merged(
        server={**THEIRS, "zip": "1"}, patch={"zip": "3"}, base={"zip": "1"}, changed=("address", "city")
    )
    assert outcome.apply == {}
    assert [conflict.open for conflict in outcome.conflicts] == [True]


def test_what_nobody_else_changed_is_what_the_author_saw() -> None:
    outcome = merged(
        server={**SEEN, "city": "Y"}, patch={"zip": "3"}, base={"zip": "1", "city": "X"}, changed=("city",)
    )
    assert outcome.apply == {"city": "X", "zip": "3"}
    (conflict,) = outcome.conflicts
    assert (conflict.open, conflict.incoming["address"], conflict.base["address"]) == (
        False,
        "1 A St",
        "1 A St",
    )


def test_the_record_has_no_value_that_nobody_saw() -> None:
    outcome = merged(
        server={"stage": "lost", "stage_reason": "price"},
        patch={"stage_reason": "note"},
        base={"stage_reason": None},
        changed=("stage", "stage_reason"),
    )
    (conflict,) = outcome.conflicts
    assert (conflict.incoming, conflict.base) == ({"stage_reason": "note"}, {"stage_reason": None})


def test_a_row_that_is_made_again_says_all_of_its_units() -> None:
    found = merge.merge(
        tables.LEADS,
        server=THEIRS,
        changes={name: Change(ver=1, at_ms=100, by=THEM) for name in (*ADDRESS, *EMPTY)},
        patch={"address": "1 A St", "zip": "1"},
        base={},
        base_ver=0,
        edit_ms=200,
        whole=True,
    )
    assert found.apply == {"address": "1 A St", "city": None, "zip": "1"}
    assert [(one.open, one.base) for one in found.conflicts] == [(False, {})]


PARTS = st.sets(st.sampled_from(ADDRESS))
WORDS = st.fixed_dictionaries({name: st.sampled_from(("a", "b", None)) for name in ADDRESS})


@given(
    seen=WORDS,
    other=WORDS,
    mine=WORDS,
    theirs=PARTS,
    patched=PARTS.filter(bool),
    known=PARTS,
    newer=st.booleans(),
)
def test_a_unit_is_the_servers_or_the_authors_and_never_a_mixture(
    *,
    seen: dict[str, Any],
    other: dict[str, Any],
    mine: dict[str, Any],
    theirs: set[str],
    patched: set[str],
    known: set[str],
    newer: bool,
) -> None:
    server = {**seen, **{name: other[name] for name in theirs}}
    patch = {name: mine[name] for name in patched}
    outcome = merged(
        server=server,
        patch=patch,
        base={name: seen[name] for name in known},
        changed=tuple(theirs),
        edit_ms=101 if newer else 99,
    )

    meant = {**seen, **patch}
    after = {**server, **outcome.apply}
    assert after in (server, meant)
    if not theirs:
        assert after == meant
    agreed = all(server[name] == value for name, value in patch.items())
    assert after == meant or outcome.conflicts or agreed
    for conflict in outcome.conflicts:
        assert conflict.incoming.items() <= {**meant, **EMPTY}.items()
        assert conflict.base.items() <= {**seen, **EMPTY}.items()
        assert patch.items() <= conflict.incoming.items()
