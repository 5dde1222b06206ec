"""Which component opens for which screen: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from views import routes
from views.executive import command, drill

ALL: Mapping[routes.Screen, routes.ScreenFn] = {
    routes.Screen.COMMAND: command.command_screen,
    routes.Screen.DRILL: drill.drill_screen,
}
