"""The points that are shown sum to 100, to the tenth."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from views.parts import reason_bars


def _reasons(*lost: float) -> list[reason_bars.Reason]:
    return [
        reason_bars.Reason(label=f"r{i}", value="", share=0.5, lost=value) for i, value in enumerate(lost)
    ]


def test_the_example_of_the_design_shows_its_figures() -> None:
    assert reason_bars.shown_points(81.5, _reasons(8.07, 7.54, 2.87)) == (8.1, 7.5, 2.9)


@given(st.lists(st.floats(0.01, 30), min_size=3, max_size=3))
@example([0.55, 0.55, 0.55])
def test_bars_and_total_sum_to_a_hundred(lost: list[float]) -> None:
    total = 100 - sum(lost)

    shown = reason_bars.shown_points(total, _reasons(*lost))

    assert round((sum(shown) + round(total, 1)) * 10) == 1000
    assert all(abs(one - real) < 0.11 for one, real in zip(shown, lost, strict=True))
