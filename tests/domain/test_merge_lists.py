"""Lists that two people changed: what either added is there, what either took away is not, and long ones cost no more."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import duplicates, merge, tables

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=8)
ANYTHING = WORDS | st.none() | st.lists(st.sampled_from(["a", 1, None, ["a"], {"a": 1}, 1.5]), max_size=5)


def united(before: Any, there: list[str], here: list[str]) -> Any:
    return merge.overlay(tables.LEADS, {"tags": there}, {"tags": here}, {"tags": before})["tags"]


@given(before=ANYTHING, there=WORDS, here=WORDS)
def test_of_both_sides_additions_and_removals_count_whatever_they_began_with(
    before: Any, there: list[str], here: list[str]
) -> None:
    seen = before if isinstance(before, list) else []
    kept = [word for word in there if word not in seen or word in here]
    assert united(before, there, here) == kept + [
        word for word in here if word not in kept and word not in seen
    ]


def test_lists_as_long_as_a_field_may_be_are_merged_at_once() -> None:
    """Compared one by one these would take an hour."""
    before, there, here = ([f"{who}{number}" for number in range(60_000)] for who in "bth")
    assert united([1] * 60_000 + before, before + there, here) == there + here
    lead: dict[str, Any] = dict.fromkeys(tables.LEADS.columns) | {"created_at": "2026", "stage": "new"}
    assert duplicates.united({**lead, "tags": there}, {**lead, "tags": there + here})["tags"] == there + here
