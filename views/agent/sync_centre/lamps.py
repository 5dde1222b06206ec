"""The two lamps in honest words: what is safe on this device, and what the server has."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services.sync_centre import Lamp, Lamps
from views import device, strings, theme
from views.parts import formats, lamps


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.lamp.{key}", **values)


_COLORS = {
    Lamp.GREEN: theme.GOOD,
    Lamp.AMBER: theme.ACCENT,
    Lamp.RED: theme.BAD,
    Lamp.OFF: theme.INK_SOFT,
}


def phone_words(found: Lamps, now: datetime) -> list[str]:
    """How much only this device has, and since when."""
    if found.phone is Lamp.RED:
        return [_t("phone.broken")]
    if not found.unsent and not found.parked:
        return [_t("phone.none"), _t("phone.all")]
    lines = []
    if found.waiting:
        lines.append(strings.count("sync.lamp.phone.changes", found.waiting))
    if found.audio_waiting:
        size = formats.size(found.audio_bytes)
        lines.append(strings.count("sync.lamp.phone.sound", found.audio_waiting, size=size))
    if found.parked:
        lines.append(strings.count("sync.lamp.phone.parked", found.parked))
    if found.oldest_waiting_at is not None:
        lines.append(_t("phone.oldest", when=formats.ago(found.oldest_waiting_at, now)))
    return lines


def server_word(found: Lamps) -> str:
    """The one word for the line to the server."""
    if found.forced_offline:
        return _t("server.forced")
    if not found.online:
        return _t("server.offline")
    if found.needs_you:
        return strings.count("sync.lamp.server.needs_you", found.needs_you)
    if found.unsent:
        return _t("server.sending" if found.sending else "server.behind")
    return _t("server.all" if found.server is Lamp.GREEN else "server.silent")


def server_words(found: Lamps, now: datetime, zone: ZoneInfo) -> list[str]:
    """That word, the last contact, and when it is tried again."""
    lines = [server_word(found)]
    needs = strings.count("sync.lamp.server.needs_you", found.needs_you)
    if found.needs_you and needs not in lines:
        lines.append(needs)
    contact = formats.moment(found.last_contact_at, now, zone) if found.last_contact_at else ""
    lines.append(_t("server.contact", when=contact or strings.t("kit.never")))
    if found.next_try_at is not None and not found.online and not found.forced_offline:
        lines.append(_t("server.next", when=formats.soon(found.next_try_at, now, zone)))
    return lines


def pair(found: Lamps, now: datetime, zone: ZoneInfo) -> ft.Control:
    """Both, beside each other."""
    behind = found.forced_offline or not found.online
    icon = ft.Icons.CLOUD_OFF_OUTLINED if behind else ft.Icons.CLOUD_DONE_OUTLINED
    if not behind and found.server is not Lamp.GREEN:
        icon = ft.Icons.CLOUD_QUEUE
    color = theme.INK_SOFT if behind and found.server is not Lamp.RED else _COLORS[found.server]
    return lamps.beside(
        lamps.lamp(
            device.icon(),
            _COLORS[found.phone],
            device.t("sync.lamp.phone"),
            phone_words(found, now),
            id="lamp-phone",
        ),
        lamps.lamp(icon, color, _t("server"), server_words(found, now, zone), id="lamp-server"),
    )
