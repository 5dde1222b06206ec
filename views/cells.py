"""Half-typed state: a cell always answers with its newest value, also to a handler of an older render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import flet as ft

T = TypeVar("T")


class Cell(Generic[T]):
    """`use_state` gives a handler the value of its render; two quick events would then lose the first. A cell does not."""

    __slots__ = ("_box", "_redraw")

    def __init__(self, box: list[T], redraw: Callable[[], None]) -> None:
        self._box = box
        self._redraw = redraw

    @property
    def value(self) -> T:
        return self._box[0]

    def set(self, value: T) -> None:
        """Draws again only when the value is another one."""
        if value != self._box[0]:
            self._box[0] = value
            self._redraw()

    def change(self, step: Callable[[T], T]) -> None:
        self.set(step(self._box[0]))

    def settle(self, value: T) -> None:
        """Sets the value without drawing: for use while rendering."""
        self._box[0] = value


def use_cell(initial: T) -> Cell[T]:
    """Hook: a cell that lives as long as its component."""
    box: list[T] = ft.use_memo(lambda: [initial], [])
    _, turn = ft.use_state(0)
    return Cell(box, lambda: turn(lambda n: n + 1))
