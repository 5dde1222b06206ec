"""Two leads that are one person: told by number and e-mail, and united without a loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import duplicates
from domain.tables import LEADS, Policy, Type


def a_lead(**values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(LEADS.columns), "created_at": "2026-11-22T16:00:00.000Z", "name": "Ana", **values}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"phone": "+15125550147"}, {"phone": "(512) 555-0147 x9"}, True),
        ({"phone": "+15125550147"}, {"phone": "+445125550147"}, False),
        ({"phone": "ask her"}, {"phone": "ask her"}, False),
        ({"email": " Ana@Example.org"}, {"email": "ana@example.org"}, True),
        ({"email": ""}, {"email": ""}, False),
        ({"email": "Ana <ana@example.org>"}, {"email": "ANA@example.org\u00a0"}, True),
        ({"email": "ana@example.org, jo@example.org"}, {"email": "jo@example.org"}, True),
        ({"email": "none"}, {"email": "none"}, False),
        ({"phone": "Cell: 512-555-0147"}, {"phone": "512-555-0148 / 512-555-0147"}, True),
        ({}, {}, False),
    ],
)
def test_the_same_number_or_e_mail_may_be_one_person(one: Any, other: Any, same: bool) -> None:
    ways = [set(duplicates.ways(a_lead(**values))) for values in (one, other)]

    assert bool(ways[0] & ways[1]) is same


def test_a_unit_is_filled_whole_or_not_at_all() -> None:
    winner, loser = a_lead(city="Upland"), a_lead(address="1 Elm", city="Ontario", email="a@b.org")

    assert duplicates.united(winner, loser) == {"email": "a@b.org"}
    assert duplicates.left_over({**winner, "email": "a@b.org"}, loser) == {
        "address": "1 Elm",
        "city": "Ontario",
    }


_TEXT = {Type.TEXT: st.sampled_from([None, "", "a", "b"]), Type.BOOL: st.sampled_from([None, False, True])}


@st.composite
def leads(draw: st.DrawFn) -> dict[str, Any]:
    some = {field.name: draw(_TEXT.get(field.type, st.none())) for field in LEADS.fields}
    tags = draw(st.lists(st.sampled_from("xyz"), unique=True) | st.none())
    answers = draw(st.dictionaries(st.sampled_from("pq"), st.integers(0, 2)) | st.none())
    return {**some, "tags": tags, "answers": answers, "created_at": "2026-11-22T16:00:00.000Z", "name": "Ana"}


@given(leads(), leads())
def test_nothing_that_either_said_is_lost(winner: dict[str, Any], loser: dict[str, Any]) -> None:
    after = {**winner, **duplicates.united(winner, loser)}
    left = duplicates.left_over(after, loser)

    for name in LEADS.columns:
        if name == "external_id" or LEADS.by_name[name].policy in (
            Policy.DERIVED,
            Policy.UNION,
            Policy.STICKY,
        ):
            continue
        if winner[name] and name != "answers":
            assert after[name] == winner[name]
        if loser[name]:
            assert loser[name] in (after[name], left.get(name))
    assert set(winner["tags"] or []) | set(loser["tags"] or []) == set(after["tags"] or [])
    assert bool(after["opted_out"]) == bool(winner["opted_out"] or loser["opted_out"])
    assert set(after["answers"] or {}) == set(winner["answers"] or {}) | set(loser["answers"] or {})


@given(leads())
def test_a_lead_united_with_itself_is_itself(lead: dict[str, Any]) -> None:
    assert duplicates.united(lead, lead) == {}
    assert duplicates.left_over(lead, lead) == {}
