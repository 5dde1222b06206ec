"""The two lamps in honest words: what is safe on this phone, and what the server has."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services.sync_centre import Lamp, Lamps
from views import strings, theme
from views.parts import cards, formats, marks, words


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.lamp.{key}", **values)


_COLORS = {Lamp.GREEN: theme.GOOD, Lamp.AMBER: theme.ACCENT, Lamp.RED: theme.BAD}


def phone_words(lamps: Lamps, now: datetime) -> list[str]:
    """How much only this phone has, and since when."""
    if not lamps.waiting and not lamps.audio_waiting:
        return [_t("phone.all")]
    lines = []
    if lamps.waiting:
        lines.append(strings.count("agent_work.lamp.phone.changes", lamps.waiting))
    if lamps.audio_waiting:
        size = formats.size(lamps.audio_bytes)
        lines.append(strings.count("agent_work.lamp.phone.sound", lamps.audio_waiting, size=size))
    if lamps.oldest_waiting_at is not None:
        lines.append(_t("phone.oldest", when=formats.ago(lamps.oldest_waiting_at, now)))
    return lines


def server_word(lamps: Lamps) -> str:
    """The one word for the line to the server."""
    if lamps.forced_offline:
        return _t("server.forced")
    if not lamps.online:
        return _t("server.offline")
    if lamps.needs_you:
        return strings.count("agent_work.lamp.server.needs_you", lamps.needs_you)
    if lamps.sending and (lamps.waiting or lamps.audio_waiting):
        return _t("server.sending")
    if lamps.waiting or lamps.audio_waiting:
        return _t("server.behind")
    return _t("server.all")


def server_words(lamps: Lamps, now: datetime, zone: ZoneInfo) -> list[str]:
    """That word, the last contact, and when it is tried again."""
    lines = [server_word(lamps)]
    contact = (
        formats.moment(lamps.last_contact_at, now, zone) if lamps.last_contact_at else strings.t("kit.never")
    )
    lines.append(_t("contact", when=contact))
    needs = strings.count("agent_work.lamp.server.needs_you", lamps.needs_you)
    if lamps.needs_you and needs not in lines:
        lines.append(needs)
    if lamps.next_try_at is not None and not lamps.online and not lamps.forced_offline:
        lines.append(_t("next", when=formats.clock(lamps.next_try_at, zone)))
    return lines


def pair(lamps: Lamps, now: datetime, zone: ZoneInfo) -> ft.Control:
    """Both, beside each other."""
    behind = lamps.forced_offline or not lamps.online
    icon = ft.Icons.CLOUD_OFF_OUTLINED if behind else ft.Icons.CLOUD_DONE_OUTLINED
    color = theme.INK_SOFT if behind and lamps.server is not Lamp.RED else _COLORS[lamps.server]
    phone = _lamp(
        "lamp-phone", ft.Icons.SMARTPHONE, _COLORS[lamps.phone], _t("phone"), phone_words(lamps, now)
    )
    server = _lamp("lamp-server", icon, color, _t("server"), server_words(lamps, now, zone))
    return ft.Row(
        [phone, server],
        spacing=theme.GAP,
        intrinsic_height=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _lamp(id: str, icon: ft.IconData, color: str, title: str, lines: list[str]) -> ft.Control:
    head = cards.line(
        ft.Container(width=12, height=12, border_radius=6, bgcolor=color), ft.Icon(icon, size=22, color=color)
    )
    name = words.fine(title, lines=2)
    first = words.name(lines[0])
    first.max_lines = 3
    rest = [words.fine(line, lines=2) for line in lines[1:]]
    spoken = f"{title}: {', '.join(lines)}"
    return marks.mark(id, cards.card(cards.stack(head, name, first, *rest, gap=4)), label=spoken, expand=True)
