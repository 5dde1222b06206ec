"""Names for what assistive technology and tests look for."""

from __future__ import annotations

import flet as ft


def mark(
    identifier: str, content: ft.Control, *, label: str | None = None, expand: bool | None = None
) -> ft.Semantics:
    """A stable hook: `[flt-semantics-identifier=…]` in the browser; `label` names what has no words of its own."""
    return ft.Semantics(identifier=identifier, label=label, container=True, content=content, expand=expand)


def picture(label: str, content: ft.Control, *, identifier: str | None = None) -> ft.Semantics:
    """Something drawn, with the sentence that says the same in words."""
    return ft.Semantics(
        label=label,
        identifier=identifier,
        image=True,
        container=True,
        exclude_semantics=True,
        content=content,
    )


def announced(content: ft.Control, *, identifier: str | None = None) -> ft.Semantics:
    """A region that a screen reader reads out when it changes."""
    return ft.Semantics(identifier=identifier, live_region=True, container=True, content=content)
