"""Which component opens for which screen: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from views import routes, settings
from views.agent import (
    conflict,
    fix,
    lead,
    leads,
    nearby,
    quick_add,
    review,
    search,
    sync_centre,
    tasks,
    voice,
)
from views.executive import command, devices, drill

ALL: Mapping[routes.Screen, routes.ScreenFn] = {
    routes.Screen.NEARBY: nearby.nearby_screen,
    routes.Screen.LEADS: leads.leads_screen,
    routes.Screen.LEAD: lead.lead_screen,
    routes.Screen.QUICK_ADD: quick_add.quick_add_screen,
    routes.Screen.TASKS: tasks.tasks_screen,
    routes.Screen.VOICE: voice.voice_screen,
    routes.Screen.REVIEW: review.review_screen,
    routes.Screen.SYNC: sync_centre.sync_screen,
    routes.Screen.CONFLICT: conflict.conflict_screen,
    routes.Screen.FIX: fix.fix_screen,
    routes.Screen.DEVICES: devices.devices_screen,
    routes.Screen.SETTINGS: settings.settings_screen,
    routes.Screen.SEARCH: search.search_screen,
    routes.Screen.COMMAND: command.command_screen,
    routes.Screen.DRILL: drill.drill_screen,
}
