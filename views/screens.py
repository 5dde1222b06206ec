"""Which component opens for which screen: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from views import routes

ALL: Mapping[routes.Screen, routes.ScreenFn] = {}
