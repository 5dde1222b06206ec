"""Settings of recordings: whether they wait for Wi-Fi, and after how long one ends by itself."""

from __future__ import annotations

import flet as ft

from services import settings
from views import component, context, live, settings_place, strings
from views.parts import cards, chips, taps, words

_MINUTES = (5, 20, 60)


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.settings.recordings{key}", **values)


@component.component
def recordings_section() -> ft.Control:
    app = context.use_app()
    service = app.service(settings.Settings)
    chosen = live.use_live(service.read)

    def wifi(event: ft.Event[ft.Switch]) -> None:
        service.change(wifi_only_audio=bool(taps.chosen(event)))

    about = cards.stack(words.name(_t(".wifi")), words.fine(_t(".wifi.note"), lines=2), gap=0, expand=True)
    switch = ft.Switch(value=chosen.wifi_only_audio, on_change=wifi)
    near = min(_MINUTES, key=lambda minutes: abs(minutes - chosen.recording_minutes))
    length = chips.segments(
        {str(minutes): _t(".minutes", n=minutes) for minutes in _MINUTES},
        str(near),
        lambda value: service.change(recording_minutes=int(value)),
        id="recording-minutes",
    )
    rows = [
        ft.Row([about, settings_place.named("wifi-only", _t(".wifi"), switch)]),
        cards.stack(words.name(_t(".length")), length, gap=8),
    ]
    return cards.section(_t(""), [cards.card(cards.stack(*rows, gap=16))])
