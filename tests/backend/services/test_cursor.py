"""A cursor says the same after it was packed, and what is none is told apart."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.cursor import Cursor, Load, Reached, key_of, mark, opened, parsed

KEY = key_of("018f0000-0000-4000-8000-000000000001", "secret")
numbers = st.integers(min_value=0, max_value=(1 << 62) - 1)
places = st.tuples(st.uuids().map(str), st.uuids().map(str))
loads = st.builds(
    Load,
    table=st.integers(min_value=-1, max_value=20),
    after=st.none() | places,
    done=numbers,
    total=numbers,
)
cursors = st.builds(
    Cursor,
    seq=numbers,
    scopes=st.dictionaries(st.uuids().map(lambda one: mark(str(one))), st.sampled_from(Reached), max_size=5),
    load=st.none() | loads,
)


@given(cursors)
def test_a_cursor_comes_out_as_it_went_in(cursor: Cursor) -> None:
    assert opened(cursor.text(KEY), KEY) == parsed(cursor.text(KEY)) == cursor


@given(cursors, st.integers(min_value=1))
def test_a_cursor_that_lost_its_end_is_none(cursor: Cursor, cut: int) -> None:
    text = cursor.text(KEY)

    with pytest.raises(ValueError, match=r".*"):
        opened(text[: -(cut % len(text) or 1)], KEY)


@given(st.text() | st.binary().map(lambda some: some.hex()))
def test_whatever_comes_for_a_cursor_is_one_or_is_refused(text: str) -> None:
    try:
        found = parsed(text)
    except ValueError:
        return
    assert parsed(found.text(KEY)) == found


@given(cursors, st.integers(min_value=0))
def test_a_cursor_with_one_bit_changed_is_none(cursor: Cursor, place: int) -> None:
    packed = bytearray(base64.urlsafe_b64decode(cursor.text(KEY) + "=="))
    packed[place % len(packed)] ^= 1 << place % 8

    with pytest.raises(ValueError, match=r".*"):
        opened(base64.urlsafe_b64encode(packed).decode().rstrip("="), KEY)


def test_a_cursor_of_another_life_is_none() -> None:
    with pytest.raises(ValueError, match="seal"):
        opened(Cursor(seq=1).text(KEY), key_of("another", "secret"))


def test_a_device_that_only_follows_carries_a_few_bytes() -> None:
    follows = Cursor(seq=1_000_000, scopes={mark("a"): Reached.LOADED})

    assert len(follows.text(KEY)) <= 28


def test_it_tells_which_locations_are_how_far() -> None:
    cursor = Cursor(seq=1, scopes={mark("a"): Reached.LOADED, mark("b"): Reached.LOADING})

    assert cursor.those(Reached.LOADED, {"a", "b", "c"}) == ["a"]
    assert cursor.those(Reached.NOT_YET, {"a", "b", "c"}) == ["c"]
    assert (cursor.told({"a", "b"}), cursor.told({"a"})) == (True, False)
