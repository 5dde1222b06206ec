"""Every address of the app: how it is written, which screen it opens, and which tabs a person sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import flet as ft

from views import context

ScreenFn = Callable[[], ft.View]


class Screen(StrEnum):
    """The screens that a route can open; views/app.py says by which component."""

    TODAY = "today"
    NEARBY = "nearby"
    TASKS = "tasks"
    VOICE = "voice"
    REVIEW = "review"
    LEADS = "leads"
    LEAD = "lead"
    QUICK_ADD = "quick_add"
    SEARCH = "search"
    SYNC = "sync"
    CONFLICT = "conflict"
    FIX = "fix"
    DEVICES = "devices"
    SETTINGS = "settings"
    COMMAND = "command"
    DRILL = "drill"
    REVENUE = "revenue"
    BOTS = "bots"
    ALERTS = "alerts"


HOME = "/"
TODAY, NEARBY, TASKS, VOICE, LEADS = "/today", "/nearby", "/tasks", "/voice", "/leads"
SEARCH, SYNC, SETTINGS = "/search", "/sync", "/settings"
COMMAND, REVENUE, BOTS, ALERTS = "/command", "/revenue", "/bots", "/alerts"
DEVICES = "/devices"


def lead(lead_id: str, *, under: str = LEADS) -> str:
    """A lead, opened from a list: "Back" leads to that list."""
    return f"{under.rstrip('/')}/lead/{quote(lead_id, safe='')}"


def quick_add(*, under: str = LEADS) -> str:
    return f"{under}/new"


def voice(lead_id: str = "") -> str:
    """The recorder; with a lead, the note will be about that lead."""
    return f"{VOICE}?{urlencode({'lead': lead_id})}" if lead_id else VOICE


def review(note_id: str, *, under: str = VOICE) -> str:
    return f"{under}/note/{quote(note_id, safe='')}"


def conflict(conflict_id: str) -> str:
    return f"{SYNC}/conflict/{quote(conflict_id, safe='')}"


def fix(group: str) -> str:
    """A refused change, to be put right."""
    return f"{SYNC}/fix/{quote(group, safe='')}"


def drill(metric: str, *, period: str = "", location: str = "") -> str:
    """Behind a figure, for the period and location that were being looked at."""
    asked = {name: value for name, value in (("period", period), ("location", location)) if value}
    return f"{COMMAND}/metric/{quote(metric, safe='')}" + (f"?{urlencode(asked)}" if asked else "")


def parent(path: str) -> str:
    """Where "Back" leads from a detail: the address of the list that it was opened from."""
    parts = path.strip("/").split("/")
    drop = 1 if parts[-1] == "new" or len(parts) < 3 else 2
    return "/" + "/".join(parts[:-drop])


def query() -> dict[str, str]:
    """What stands behind the `?` of the present address; a missing name is simply missing."""
    return dict(parse_qsl(urlsplit(ft.context.page.route or "").query))


# --- tabs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A place in the bar below (phone) or in the rail (desktop)."""

    screen: Screen
    path: str
    icon: ft.IconData
    icon_chosen: ft.IconData

    @property
    def words(self) -> str:
        return f"kit.tab.{self.screen}"


def _tab(screen: Screen, path: str, icon: ft.IconData, chosen: ft.IconData) -> Tab:
    return Tab(screen=screen, path=path, icon=icon, icon_chosen=chosen)


_I = ft.Icons
_ALL_TABS = {
    tab.screen: tab
    for tab in (
        _tab(Screen.TODAY, TODAY, _I.TODAY_OUTLINED, _I.TODAY),
        _tab(Screen.NEARBY, NEARBY, _I.NEAR_ME_OUTLINED, _I.NEAR_ME),
        _tab(Screen.TASKS, TASKS, _I.CHECK_CIRCLE_OUTLINE, _I.CHECK_CIRCLE),
        _tab(Screen.VOICE, VOICE, _I.MIC_NONE, _I.MIC),
        _tab(Screen.LEADS, LEADS, _I.PEOPLE_OUTLINE, _I.PEOPLE),
        _tab(Screen.SEARCH, SEARCH, _I.SEARCH, _I.SEARCH),
        _tab(Screen.SYNC, SYNC, _I.CLOUD_QUEUE, _I.CLOUD),
        _tab(Screen.SETTINGS, SETTINGS, _I.SETTINGS_OUTLINED, _I.SETTINGS),
        _tab(Screen.COMMAND, COMMAND, _I.SPACE_DASHBOARD_OUTLINED, _I.SPACE_DASHBOARD),
        _tab(Screen.REVENUE, REVENUE, _I.SHOW_CHART, _I.SHOW_CHART),
        _tab(Screen.BOTS, BOTS, _I.SMART_TOY_OUTLINED, _I.SMART_TOY),
        _tab(Screen.DEVICES, DEVICES, _I.DEVICES_OTHER, _I.DEVICES),
        _tab(Screen.ALERTS, ALERTS, _I.NOTIFICATIONS_NONE, _I.NOTIFICATIONS),
    )
}
_AGENT_PHONE = (Screen.NEARBY, Screen.TASKS, Screen.VOICE, Screen.LEADS, Screen.SYNC)
_AGENT_WIDE = (*_AGENT_PHONE[:4], Screen.SEARCH, Screen.SYNC, Screen.SETTINGS)
_EXECUTIVE_PHONE = (Screen.COMMAND, Screen.ALERTS, Screen.LEADS, Screen.SYNC, Screen.SETTINGS)
_EXECUTIVE_WIDE = (
    *(Screen.COMMAND, Screen.REVENUE, Screen.BOTS, Screen.ALERTS, Screen.NEARBY, Screen.LEADS),
    *(Screen.TASKS, Screen.SEARCH, Screen.SYNC, Screen.DEVICES, Screen.SETTINGS),
)
_ORDERS: dict[tuple[bool, bool], tuple[Screen, ...]] = {
    (False, False): _AGENT_PHONE,
    (False, True): _AGENT_WIDE,
    (True, False): _EXECUTIVE_PHONE,
    (True, True): _EXECUTIVE_WIDE,
}


def tabs(user: context.User, *, wide: bool, built: frozenset[str]) -> tuple[Tab, ...]:
    """The tabs of a person, without those whose screen does not exist."""
    order = _ORDERS[user.is_executive, wide]
    return tuple(_ALL_TABS[screen] for screen in order if screen in built)


def home(user: context.User) -> str:
    """Where a person starts."""
    return COMMAND if user.is_executive else NEARBY


# --- the tree ------------------------------------------------------------------------------------------------------

# A detail is nested below its list, so that "Back" works (flet.md, pitfall 10).
_NESTED: dict[Screen, tuple[tuple[Screen, str], ...]] = {
    Screen.TODAY: ((Screen.LEAD, "lead/:lead_id"),),
    Screen.NEARBY: ((Screen.QUICK_ADD, "new"), (Screen.LEAD, "lead/:lead_id")),
    Screen.TASKS: ((Screen.LEAD, "lead/:lead_id"),),
    Screen.VOICE: ((Screen.REVIEW, "note/:note_id"),),
    Screen.LEADS: ((Screen.QUICK_ADD, "new"), (Screen.LEAD, "lead/:lead_id")),
    Screen.SEARCH: ((Screen.LEAD, "lead/:lead_id"), (Screen.REVIEW, "note/:note_id")),
    Screen.SYNC: ((Screen.CONFLICT, "conflict/:conflict_id"), (Screen.FIX, "fix/:group")),
    Screen.DRILL: ((Screen.LEAD, "lead/:lead_id"),),
    Screen.COMMAND: ((Screen.DRILL, "metric/:metric"), (Screen.LEAD, "lead/:lead_id")),
    Screen.ALERTS: ((Screen.LEAD, "lead/:lead_id"),),
}


def _route(screen: Screen, path: str, screens: Mapping[Screen, ScreenFn]) -> ft.Route:
    below = [_route(name, part, screens) for name, part in _NESTED.get(screen, ()) if name in screens]
    return ft.Route(path=path, component=screens[screen], children=below or None)


def tree(screens: Mapping[Screen, ScreenFn], root: ScreenFn) -> list[ft.Route]:
    """The routes of the screens that exist; `root` answers "/" (it leads on to `home`)."""
    found = [
        _route(screen, tab.path.lstrip("/"), screens)
        for screen, tab in _ALL_TABS.items()
        if screen in screens
    ]
    return [*found, ft.Route(index=True, component=root)]
