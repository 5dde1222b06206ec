"""How device and server stand to each other, in the frame of every screen: the two lamps and the calm strip."""

from __future__ import annotations

import flet as ft

from services import sync_centre
from views import component, context, live, routes
from views.parts import banners, lamps


def use_status() -> context.Status:
    """Hook: how this device and the server stand to each other, now."""
    app = context.use_app()
    return live.use_live(app.board.read, source=app.board)


@component.component
def status_lamps() -> ft.Control:
    """Both lamps, compact; a touch opens the sync centre."""
    app = context.use_app()
    live.use_tick(60)  # "everything is on the server" grows old by itself
    return lamps.compact(use_status(), app.now(), lambda: app.go(routes.SYNC))


@component.component
def status_banners(at_sync: bool = False) -> ft.Control:
    """One strip at most: what a person chose and can end, then what stops all sending, then what only they can settle.

    `at_sync`: in the sync centre, which says all but the first by itself.
    """
    app = context.use_app()
    status = use_status()

    def look() -> None:
        app.go(routes.SYNC)

    def go_online() -> None:
        app.service(sync_centre.SyncCentre).force_offline(False)

    forced = banners.forced_banner(status, go_online)
    if forced is not None or at_sync:
        return forced or ft.Container(height=0)
    found = (
        banners.sign_in_banner(status, look),
        banners.needs_you_banner(status, look),
        banners.offline_banner(status),
        banners.lost_banner(status, look),
    )
    return next((banner for banner in found if banner is not None), ft.Container(height=0))
