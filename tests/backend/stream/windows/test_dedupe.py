"""Repeats are found by id and pane, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.stream.windows.dedupe import Seen


@given(
    told=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=60),
    packs=st.sets(st.integers(0, 59)),
)
def test_each_is_new_once_whether_packed_or_not(told: list[tuple[int, int]], packs: set[int]) -> None:
    seen, known = Seen(), set[tuple[int, int]]()

    for place, (pane, wanted) in enumerate(told):
        assert bool(seen.repeats([pane], [wanted])) == ((pane, wanted) in known)
        known.add((pane, wanted))
        if place in packs:
            seen.pack_until(3)

    assert seen.count == len(known)


def test_a_repeat_in_the_same_batch_is_found() -> None:
    assert Seen().repeats([1, 1, 2, 1], [5, 6, 5, 5]) == [3]


def test_beyond_its_bounds_the_oldest_are_forgotten_and_counted() -> None:
    seen = Seen(most=10)

    for pane in range(5):
        seen.repeats([pane] * 4, list(range(4)))

    assert seen.count <= 10
    assert seen.forgotten == 12
    assert seen.repeats([4], [0]) == [0]
    assert seen.repeats([4, 0], [1, 1]) == [0]


def test_panes_that_no_window_holds_are_let_go() -> None:
    seen = Seen()
    seen.repeats([1, 2, 3], [7, 7, 7])

    seen.forget_until(2)

    assert seen.count == 1
    assert seen.gone == {1, 2}
    assert seen.forgotten == 0
