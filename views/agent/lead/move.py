"""A lead moves to another location: where to, what goes along, and ten seconds to think again."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from services import leads
from views import context, strings
from views.parts import dialogs, toasts


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.move.{key}", **values)


def ask_where(app: context.AppContext, page: ft.Page, lead: leads.LeadFacts) -> None:
    """In place of the sheet that led here."""
    page.pop_dialog()

    def choosing(location_id: str, name: str) -> Callable[[], None]:
        def choose() -> None:
            page.pop_dialog()
            _confirm(app, page, lead, location_id, name)

        return choose

    rows = [
        dialogs.menu_row(
            ft.Icons.PLACE_OUTLINED, name, choosing(location_id, name), id=f"move-to-{location_id}"
        )
        for location_id, name in app.service(leads.Leads).ways_out(lead.id)
    ]
    dialogs.sheet(page, _t("title", name=lead.name), rows)


def _confirm(
    app: context.AppContext, page: ft.Page, lead: leads.LeadFacts, location_id: str, name: str
) -> None:
    service = app.service(leads.Leads)

    def move() -> None:
        service.move(lead.id, location_id)
        toasts.undo(page, _t("done", new=name), lambda: service.move(lead.id, lead.location_id))

    dialogs.confirm(
        page,
        _t("confirm", new=name),
        _t("text", old=lead.location_name, new=name),
        yes=_t("yes"),
        on_yes=move,
    )
