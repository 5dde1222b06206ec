"""Several sources as one: a screen that shows stored rows, progress and the line to the server hears of each."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft

from views import context


@dataclass(frozen=True, slots=True)
class Merged:
    """Tells its listeners whatever any of its sources tells; an empty set, so that no filter of tables hides it."""

    sources: tuple[context.Source, ...]

    def subscribe(self, callback: context.OnChange, /) -> context.Dispose:
        def tell(changed: frozenset[str]) -> None:
            del changed
            callback(frozenset())

        ends = [source.subscribe(tell) for source in self.sources]

        def dispose() -> None:
            for end in ends:
                end()

        return dispose


def use_merged(*sources: context.Source) -> Merged:
    """Hook: the same merged source on each render."""
    made: Merged = ft.use_memo(lambda: Merged(sources), [id(source) for source in sources])
    return made
