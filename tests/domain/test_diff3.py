"""Texts of two people become one where they didn't touch the same sentence."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import diff3

BASE = "Roof is new. Wants 400.\nCall in May."


@pytest.mark.parametrize(
    ("theirs", "mine", "result"),
    [
        (
            "Roof is old. Wants 400.\nCall in May.",
            "Roof is new. Wants 400.\nCall in June.",
            "Roof is old. Wants 400.\nCall in June.",
        ),
        (
            "Roof is old. Wants 400.\nCall in May.",
            "Roof is new. Wants 450.\nCall in May.",
            "Roof is old. Wants 450.\nCall in May.",
        ),
        (f"{BASE}\nMet Ana.", f"{BASE}\nHas a pool.", f"{BASE}\nMet Ana.\nHas a pool."),
        (f"{BASE} Or June.", f"{BASE} Early.", f"{BASE} Or June. Early."),
        ("Roof is new.\nCall in May.", f"Hurry!\n{BASE}", "Hurry!\nRoof is new.\nCall in May."),
        ("Call in May.", f"{BASE}\nPool.", "Call in May.\nPool."),
    ],
    ids=[
        "apart",
        "neighbours",
        "both wrote on",
        "in one line",
        "removed and put before",
        "removed and wrote on",
    ],
)
def test_changes_in_different_places_make_one_text(theirs: str, mine: str, result: str) -> None:
    assert diff3.merge(BASE, theirs, mine) == result


@pytest.mark.parametrize(
    ("base", "theirs", "mine"),
    [
        ("Meet at 4 pm.", "Meet at 5 pm.", "Meet at 4 am."),
        ("Meet.", "", "Meet soon."),
        ("a. c.", "a. x. c.", "a. y. c."),
    ],
)
def test_the_same_sentence_changed_twice_is_for_people(base: str, theirs: str, mine: str) -> None:
    assert diff3.merge(base, theirs, mine) is None


def test_what_both_wrote_from_nothing_stands_one_under_the_other() -> None:
    assert diff3.merge("", "They.", "We.") == "They.\n\nWe."


def test_a_text_without_end_is_not_compared() -> None:
    lines = [f"{number}\n" for number in range(diff3.MOST_PARTS)]

    assert diff3.merge("".join(lines), "".join(lines[::-1]), "x") is None


SENTENCES = st.lists(st.sampled_from("Roof. Pool. May! Ana\n? \n Call. New\n".split(" ")), max_size=12).map(
    " ".join
)


@st.composite
def changed(draw: st.DrawFn, base: str) -> str:
    """Some sentences taken out, some of one's own put in."""
    words = base.split(" ")
    for number in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(words)))
        words[place : place + draw(st.integers(0, 2))] = [f"{draw(st.sampled_from(['X', 'Y']))}{number}."]
    return " ".join(words)


@st.composite
def three(draw: st.DrawFn) -> tuple[str, str, str]:
    base = draw(SENTENCES)
    return base, draw(changed(base)), draw(changed(base))


def words(text: str) -> Counter[str]:
    return Counter(text.split())


@given(three())
def test_no_word_that_either_side_added_is_lost_and_none_is_invented(texts: tuple[str, str, str]) -> None:
    base, theirs, mine = texts

    merged = diff3.merge(base, theirs, mine)

    if merged is not None:
        added = {*(words(theirs) - words(base)), *(words(mine) - words(base))}
        assert not added - set(words(merged))
        assert not set(words(merged)) - {*words(base), *words(theirs), *words(mine)}


@given(three())
def test_who_came_first_only_changes_the_order(texts: tuple[str, str, str]) -> None:
    base, theirs, mine = texts

    one, other = diff3.merge(base, theirs, mine), diff3.merge(base, mine, theirs)

    assert (one is None) == (other is None)
    assert one is None or words(one) == words(str(other))


@given(three())
def test_one_sides_changes_alone_are_that_sides_text(texts: tuple[str, str, str]) -> None:
    base, theirs, _ = texts

    assert diff3.merge(base, theirs, base) == diff3.merge(base, base, theirs) == theirs
    assert diff3.merge(base, theirs, theirs) == theirs
