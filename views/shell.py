"""The frame around every screen: bar above, banners, tabs below (phone) or a rail (from 700 px)."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from views import context, notice, routes, standing, strings, theme
from views.agent import voice_capture
from views.parts import banners, buttons, taps

_MIC = 64


def _title(title: str) -> ft.Control:
    words_ = ft.Text(title, theme_style=ft.TextThemeStyle.HEADLINE_SMALL, color=theme.INK, max_lines=1)
    return ft.Semantics(header=True, content=words_)


def _go(app: context.AppContext, icon: ft.IconData, screen: routes.Screen, path: str) -> list[ft.Control]:
    """A way to a screen that has no tab on the phone; nothing where the screen is not built."""
    if app.wide or screen not in app.built:
        return []
    return [buttons.icon(icon, strings.t(f"kit.tab.{screen}"), lambda: app.go(path), id=f"go-{screen}")]


def _actions(
    app: context.AppContext, actions: Sequence[ft.Control], tab: routes.Screen | None
) -> list[ft.Control]:
    is_root = tab not in (None, routes.Screen.SEARCH)
    right: list[ft.Control] = [*actions]
    if is_root:
        right += _go(app, ft.Icons.SEARCH, routes.Screen.SEARCH, routes.SEARCH)
    if app.demo:
        right.append(banners.demo_badge())
    right.append(standing.status_lamps())
    if is_root and tab is not routes.Screen.SETTINGS and not app.user.is_executive:
        right += _go(app, ft.Icons.SETTINGS_OUTLINED, routes.Screen.SETTINGS, routes.SETTINGS)
    return right


def _app_bar(title: str, right: list[ft.Control], *, is_root: bool) -> ft.AppBar:
    """The phone's bar; the arrow back comes with it."""
    return ft.AppBar(
        title=_title(title),
        center_title=False,
        bgcolor=theme.GROUND,
        elevation=0,
        elevation_on_scroll=0,
        toolbar_height=64,
        title_spacing=theme.GAP_L if is_root else 0,
        automatically_imply_leading=not is_root,
        actions=right,
        actions_padding=ft.Padding.only(right=theme.GAP_S),
    )


def _desk_bar(app: context.AppContext, title: str, right: list[ft.Control], parent: str | None) -> ft.Control:
    """The desktop's bar, beside the rail."""
    left: list[ft.Control] = []
    if parent is not None:
        left.append(
            buttons.icon(ft.Icons.ARROW_BACK, strings.t("kit.back"), lambda: app.go(parent), id="back")
        )
    left.append(ft.Container(_title(title), expand=True))
    return ft.Container(
        ft.Row([*left, *right], spacing=theme.GAP_S, vertical_alignment=ft.CrossAxisAlignment.CENTER),
        height=72,
        padding=ft.Padding.symmetric(horizontal=theme.GAP_L),
    )


def _icon(tab: routes.Tab, *, chosen: bool, hidden: bool = False) -> ft.Control:
    if hidden:
        return ft.Container(width=24, height=24)
    picture = tab.icon_chosen if chosen else tab.icon
    return ft.Icon(picture, size=24, color=theme.ON_BRAND_SOFT if chosen else theme.INK_SOFT)


def _mic(app: context.AppContext) -> ft.FloatingActionButton:
    """The big button in the middle below: it records at once."""
    page = ft.context.page

    def record() -> None:
        voice_capture.ask(page)
        app.go(routes.VOICE)

    return ft.FloatingActionButton(
        content=ft.Icon(
            ft.Icons.MIC, size=32, color=theme.ON_BRAND, semantics_label=strings.t("kit.tab.voice")
        ),
        tooltip=strings.t("kit.tab.voice"),
        bgcolor=theme.BRAND,
        foreground_color=theme.ON_BRAND,
        shape=ft.CircleBorder(),
        width=_MIC,
        height=_MIC,
        elevation=2,
        on_click=record,
    )


def _index(tabs: Sequence[routes.Tab], current: routes.Screen | None) -> int | None:
    return next((i for i, tab in enumerate(tabs) if tab.screen is current), None)


def _can_record(app: context.AppContext, tab: routes.Screen | None) -> bool:
    """Whether the big microphone floats over the phone's bar below: on the roots of tabs, but for its own."""
    screens = {item.screen for item in routes.tabs(app.user, wide=False, built=app.built)}
    return not app.wide and tab in screens - {routes.Screen.VOICE} and routes.Screen.VOICE in screens


def _bottom(
    app: context.AppContext, tabs: Sequence[routes.Tab], current: routes.Screen, *, records: bool
) -> ft.NavigationBar:
    """The bar below; under the big microphone its own tab shows only its words."""
    return ft.NavigationBar(
        destinations=[
            ft.NavigationBarDestination(
                icon=_icon(tab, chosen=False, hidden=records and tab.screen is routes.Screen.VOICE),
                selected_icon=_icon(tab, chosen=True),
                label=strings.t(tab.words),
            )
            for tab in tabs
        ],
        selected_index=_index(tabs, current) or 0,
        on_change=lambda event: app.go(tabs[taps.chosen(event)].path),
        bgcolor=theme.CARD,
        indicator_color=theme.BRAND_SOFT,
        elevation=0,
        height=76,
        border=ft.Border.only(top=ft.BorderSide(1, theme.LINE)),
    )


def _rail(app: context.AppContext, tabs: Sequence[routes.Tab], current: routes.Screen | None) -> ft.Control:
    rail = ft.NavigationRail(
        destinations=[
            ft.NavigationRailDestination(
                icon=_icon(tab, chosen=False),
                selected_icon=_icon(tab, chosen=True),
                label=strings.t(tab.words),
            )
            for tab in tabs
        ],
        selected_index=_index(tabs, current),
        on_change=lambda event: app.go(tabs[taps.chosen(event)].path),
        label_type=ft.NavigationRailLabelType.ALL,
        selected_label_text_style=ft.TextStyle(
            size=14, weight=ft.FontWeight.W_700, color=theme.BRAND, font_family=theme.FONT
        ),
        unselected_label_text_style=ft.TextStyle(
            size=14, weight=ft.FontWeight.W_500, color=theme.INK_SOFT, font_family=theme.FONT
        ),
        bgcolor=theme.CARD,
        indicator_color=theme.BRAND_SOFT,
        min_width=104,
        group_alignment=-1,
        leading=_sign(app),
        scrollable=True,
    )
    return ft.Container(rail, border=ft.Border.only(right=ft.BorderSide(1, theme.LINE)), bgcolor=theme.CARD)


def _sign(app: context.AppContext) -> ft.Control:
    """The product's sign, and whose desk this is."""
    initials = "".join(part[0] for part in app.user.name.split()[:2]).upper() or "?"
    badge = ft.Container(
        ft.Text(initials, theme_style=ft.TextThemeStyle.TITLE_MEDIUM, color=theme.ON_BRAND),
        width=theme.TARGET,
        height=theme.TARGET,
        border_radius=14,
        bgcolor=theme.BRAND,
        alignment=ft.Alignment.CENTER,
        tooltip=f"{app.user.name} · {app.user.role}",
    )
    return ft.Container(badge, padding=ft.Padding.symmetric(vertical=theme.GAP_L))


def frame(
    title: str,
    body: ft.Control,
    *,
    tab: routes.Screen | None = None,
    within: routes.Screen | None = None,
    actions: Sequence[ft.Control] = (),
    bottom: ft.Control | None = None,
) -> ft.View:
    """Hook: the View of a screen. `tab` = it is this tab's root; `within` = a detail that was opened under this tab.

    `bottom` stays in reach of the thumb (a primary button); `body` scrolls by itself (see `cards.page`).
    """
    app = context.use_app()
    path = ft.use_view_path() or routes.HOME
    is_root = tab is not None
    right = _actions(app, actions, tab)
    floats = bottom is None and _can_record(app, tab)
    rows: list[ft.Control] = [
        standing.status_banners(at_sync=tab is routes.Screen.SYNC),
        ft.Container(body, expand=True),
        notice.notice_strip(_MIC // 2 if floats else 0),
    ]
    if bottom is not None:
        rows.append(_thumb_area(app, bottom))
    if app.wide:
        rows.insert(0, _desk_bar(app, title, right, None if is_root else routes.parent(path)))
        return _desk_view(app, rows, tab, within, path)
    bar = _app_bar(title, right, is_root=is_root)
    return _phone_view(app, rows, tab, path, bar, floats=floats)


def _desk_view(
    app: context.AppContext,
    rows: list[ft.Control],
    tab: routes.Screen | None,
    within: routes.Screen | None,
    path: str,
) -> ft.View:
    tabs = routes.tabs(app.user, wide=True, built=app.built)
    middle = ft.Row(
        [_rail(app, tabs, tab or within), ft.Container(_column(rows), expand=True)],
        spacing=0,
        expand=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    return ft.View(
        route="/" if tab else path,
        can_pop=tab is None,
        bgcolor=theme.GROUND,
        padding=0,
        spacing=0,
        controls=[ft.SafeArea(middle, expand=True)],
    )


def _phone_view(
    app: context.AppContext,
    rows: list[ft.Control],
    tab: routes.Screen | None,
    path: str,
    bar: ft.AppBar,
    *,
    floats: bool,
) -> ft.View:
    tabs = routes.tabs(app.user, wide=False, built=app.built)
    at_tab = _index(tabs, tab) is not None
    if tab is not None and not at_tab:
        bar.leading = buttons.icon(
            ft.Icons.ARROW_BACK, strings.t("kit.back"), lambda: app.go(routes.home(app.user)), id="back"
        )
    return ft.View(
        route="/" if tab else path,
        can_pop=tab is None,
        appbar=bar,
        navigation_bar=_bottom(app, tabs, tab, records=floats) if tab is not None and at_tab else None,
        floating_action_button=_mic(app) if floats else None,
        floating_action_button_location=ft.FloatingActionButtonLocation.CENTER_DOCKED,
        bgcolor=theme.GROUND,
        padding=0,
        spacing=0,
        controls=[ft.SafeArea(_column(rows), expand=True)],
    )


def _column(rows: list[ft.Control]) -> ft.Column:
    return ft.Column(rows, spacing=0, expand=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _thumb_area(app: context.AppContext, content: ft.Control) -> ft.Control:
    inner = ft.Container(content, width=theme.CONTENT_MAX - 2 * theme.GAP_L) if app.wide else content
    return ft.Container(
        inner,
        alignment=ft.Alignment.CENTER if app.wide else None,
        padding=ft.Padding.symmetric(horizontal=theme.GAP_L, vertical=theme.GAP),
        bgcolor=theme.CARD,
        border=ft.Border.only(top=ft.BorderSide(1, theme.LINE)),
    )
