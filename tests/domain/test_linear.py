"""Small linear systems."""

from __future__ import annotations

import pytest

from domain import linear


def test_a_system_is_solved_also_where_rows_must_change_places() -> None:
    assert linear.solve([[0, 2], [1, 1]], [4, 3]) == pytest.approx([1, 2])


def test_a_singular_system_is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        linear.solve([[1, 1], [1, 1]], [1, 2])
