"""Who is signed in, where they may look, and the way out; and the versions of what runs here."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import flet as ft

from services import sync_centre
from views import component, context, live, merged, strings, theme
from views.parts import buttons, cards, chips, words

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.settings.{key}", **values)


@component.component
def account_section() -> ft.Control:
    """Signing out is blocked while work waits here: it would wait for nobody."""
    app = context.use_app()
    service = app.service(sync_centre.SyncCentre)
    source = merged.use_merged(app.store, app.board)
    unsent = live.use_live(service.unsent, source=source)
    places = live.use_live(service.location_names, tables=("locations",))
    rows: list[ft.Control] = [
        words.heading(app.user.name),
        words.soft(app.user.email),
        cards.line(
            chips.chip(_t(f"role.{app.user.role}"), tone=theme.BRANDED, icon=ft.Icons.BADGE_OUTLINED),
            *(chips.chip(place, icon=ft.Icons.PLACE_OUTLINED) for place in places),
            wrap=True,
        ),
    ]
    if unsent:
        rows.append(words.body(strings.count("agent_work.settings.unsent", unsent), color=theme.BAD))
    leave = buttons.outlined(
        _t("sign_out"), lambda: app.sign_out(), icon=ft.Icons.LOGOUT, id="sign-out", disabled=bool(unsent)
    )
    rows.append(cards.line(leave))
    return cards.section(_t("account"), [cards.card(cards.stack(*rows))])


@cache
def version() -> str:
    """Of this app; as installed, else as the project's file says."""
    try:
        return metadata.version("jorge-bi")
    except metadata.PackageNotFoundError:
        pass
    try:
        found = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return _t("about.unknown")
    return str(found)


def flet_version() -> str:
    return str(ft.version.version) if hasattr(ft.version, "version") else metadata.version("flet")
