"""Settings: the look, distances, home, the speech model, who is signed in, and what runs here."""

from __future__ import annotations

import flet as ft

from domain import wire
from services import settings
from views import (
    component,
    context,
    live,
    routes,
    settings_account,
    settings_place,
    settings_recordings,
    shell,
    strings,
    theme,
)
from views.agent import voice_model
from views.parts import cards, chips, taps, words

_SIZES = {"1.0": 1.0, "1.15": 1.15, "1.3": 1.3}


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.settings.{key}", **values)


@component.screen
def settings_screen() -> ft.View:
    body = cards.page(
        look_section(),
        distance_section(),
        settings_place.home_section(),
        settings_recordings.recordings_section(),
        cards.section(_t("speech"), [voice_model.model_list()], note=_t("speech.note")),
        settings_account.account_section(),
        _about(),
        gap=theme.GAP_XL,
    )
    return shell.frame(_t("title"), body, tab=routes.Screen.SETTINGS)


def _labelled(title: str, control: ft.Control) -> ft.Control:
    return cards.stack(words.name(title), control, gap=theme.GAP_S)


@component.component
def look_section() -> ft.Control:
    """Light or dark, contrast, size of the text; kept on this device, for everybody who uses it."""
    app = context.use_app()
    look = app.appearance

    def change(**changes: object) -> None:
        mode = theme.Mode(str(changes.get("mode", look.mode)))
        strong = bool(changes.get("high_contrast", look.high_contrast))
        scale = float(str(changes.get("text_scale", look.text_scale)))
        app.set_appearance(theme.Appearance(mode=mode, high_contrast=strong, text_scale=scale))

    modes = {
        mode.value: _t(f"mode.{mode.value}")
        for mode in (theme.Mode.LIGHT, theme.Mode.DARK, theme.Mode.SYSTEM)
    }
    sizes = {value: _t(f"size.{value}") for value in _SIZES}
    size = min(_SIZES, key=lambda value: abs(_SIZES[value] - look.text_scale))
    contrast = ft.Switch(
        value=look.high_contrast, on_change=lambda event: change(high_contrast=bool(taps.chosen(event)))
    )
    rows = [
        _labelled(
            _t("mode"), chips.segments(modes, look.mode.value, lambda value: change(mode=value), id="mode")
        ),
        _labelled(
            _t("size"), chips.segments(sizes, size, lambda value: change(text_scale=value), id="text-size")
        ),
        ft.Row(
            [
                cards.stack(
                    words.name(_t("contrast")), words.fine(_t("contrast.note"), lines=2), gap=0, expand=True
                ),
                settings_place.named("high-contrast", _t("contrast"), contrast),
            ]
        ),
    ]
    return cards.section(_t("look"), [cards.card(cards.stack(*rows, gap=theme.GAP_L))])


_RADII_MILES = (2, 5, 10, 25)
_RADII_KM = (3, 8, 15, 40)
_KM = 1.609344


@component.component
def distance_section() -> ft.Control:
    """Miles or kilometres, and how far "nearby" reaches."""
    app = context.use_app()
    service = app.service(settings.Settings)
    chosen = live.use_live(service.read)
    factor, radii = (_KM, _RADII_MILES) if chosen.miles else (1.0, _RADII_KM)
    near = min(radii, key=lambda radius: abs(radius * factor - chosen.radius_km))
    unit = "mi" if chosen.miles else "km"
    units = chips.segments(
        {"mi": _t("miles"), "km": _t("km")},
        unit,
        lambda value: service.change(miles=value == "mi"),
        id="units",
    )
    reach = chips.segments(
        {str(radius): f"{radius} {unit}" for radius in radii},
        str(near),
        lambda value: service.change(radius_km=float(value) * factor),
        id="radius",
    )
    rows = [_labelled(_t("units"), units), _labelled(_t("radius"), reach)]
    return cards.section(_t("distance"), [cards.card(cards.stack(*rows, gap=theme.GAP_L))])


def _about() -> ft.Control:
    lines = [
        _t("about.app", version=settings_account.version()),
        _t("about.flet", version=settings_account.flet_version()),
        _t("about.protocol", version=wire.PROTOCOL),
    ]
    return cards.section(_t("about"), [cards.card(cards.stack(*(words.soft(line) for line in lines), gap=4))])
