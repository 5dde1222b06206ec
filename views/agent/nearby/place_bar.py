"""The place that everything is measured from: the device's, or one that was typed."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from domain import errors, ports
from services import here, places
from views import cells, component, context, live, strings, theme
from views.parts import buttons, cards, marks, text_field, words


@component.component
def place_bar(place: ports.Position | None) -> ft.Control:
    """Where we are, with the two ways to say otherwise."""
    app = context.use_app()
    typing = cells.use_cell(False)
    busy = cells.use_cell(False)
    problem = cells.use_cell("")

    def choose(found: ports.Position) -> None:
        app.service(here.Here).choose(found)
        typing.set(False)

    async def locate() -> None:
        busy.set(True)
        problem.set("")
        try:
            await app.service(here.Here).locate()
        except errors.NoLocationError as error:
            problem.set(f"{error.message} {error.hint}")
            typing.set(True)
        finally:
            busy.set(False)

    rows: list[ft.Control] = [_head(place, locate, lambda: typing.set(not typing.value), busy=busy.value)]
    if place is None and not typing.value:
        rows += _first_time(locate, lambda: typing.set(True), busy=busy.value)
    if problem.value:
        rows.append(marks.announced(words.body(problem.value), identifier="place-problem"))
    if typing.value:
        rows.append(typed_place(choose))
    return marks.mark("place-bar", cards.card(cards.stack(*rows), padding=theme.GAP))


def _head(
    place: ports.Position | None, locate: buttons.OnClick, edit: Callable[[], None], *, busy: bool
) -> ft.Control:
    label = words_of(place) if place else strings.t("agent_field.place.none")
    note = strings.t("agent_field.place.note" if place else "agent_field.place.ask")
    mark = (
        ft.ProgressRing(width=20, height=20, stroke_width=3, color=theme.BRAND)
        if busy
        else ft.Icon(ft.Icons.PLACE_OUTLINED, color=theme.BRAND, size=24)
    )
    items: list[ft.Control] = [
        ft.Container(mark, width=32, alignment=ft.Alignment.CENTER),
        cards.stack(_label(label), words.fine(about(place) or note, lines=2), gap=0, expand=True),
    ]
    if place is not None:
        items += [
            buttons.icon(ft.Icons.MY_LOCATION, strings.t("agent_field.place.locate"), locate, id="locate"),
            buttons.icon(
                ft.Icons.EDIT_LOCATION_ALT_OUTLINED,
                strings.t("agent_field.place.type"),
                edit,
                id="type-place",
            ),
        ]
    return ft.Row(items, spacing=theme.GAP_S, vertical_alignment=ft.CrossAxisAlignment.CENTER)


def _label(text: str) -> ft.Control:
    """A place's name may take a second line."""
    return ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_MEDIUM, color=theme.INK, max_lines=2)


def words_of(place: ports.Position) -> str:
    """Its name; one without a name came from the device."""
    return place.label or strings.t("agent_field.place.device")


def about(place: ports.Position | None) -> str:
    """How exact a place is, where it is not the house itself."""
    if place is None or place.accuracy_m is None or place.accuracy_m < 500:
        return ""
    return strings.t("agent_field.place.about", miles=f"{place.accuracy_m / 1609.344:.0f}")


def _first_time(locate: buttons.OnClick, edit: Callable[[], None], *, busy: bool) -> list[ft.Control]:
    return [
        buttons.primary(
            strings.t("agent_field.place.locate"),
            locate,
            icon=ft.Icons.MY_LOCATION,
            id="locate",
            disabled=busy,
        ),
        buttons.outlined(
            strings.t("agent_field.place.type"),
            edit,
            icon=ft.Icons.EDIT_LOCATION_ALT_OUTLINED,
            id="type-place",
        ),
    ]


@component.component
def typed_place(choose: Callable[[ports.Position], None]) -> ft.Control:
    """An address, ZIP code or city, with what this device knows of it below; works with no network."""
    app = context.use_app()
    typed = cells.use_cell("")
    problem = cells.use_cell("")
    service = app.service(places.Places)
    found = live.use_live(
        lambda: _suggested(service, typed.value), typed.value, tables=("leads", "properties")
    )

    def take(text: str) -> None:
        try:
            choose(service.find(text))
        except errors.InputError as error:
            problem.set(f"{error.message} {error.hint}")

    def change(text: str) -> None:
        problem.set("")
        typed.set(text)

    field = text_field.text_field(
        strings.t("agent_field.place.field"),
        typed.value,
        on_change=change,
        on_submit=take,
        problem=problem.value,
        icon=ft.Icons.SEARCH,
    )
    return cards.stack(field, *[_suggestion(place, choose) for place in found], gap=theme.GAP_S)


def _suggested(service: places.Places, text: str) -> tuple[ports.Position, ...]:
    """Half-typed words find nothing, and that is no fault."""
    if len(text.strip()) < 3:
        return ()
    try:
        return service.suggest(text)
    except errors.InputError:
        return ()


def _suggestion(place: ports.Position, choose: Callable[[ports.Position], None]) -> ft.Control:
    exact = about(place) or strings.t("agent_field.place.exact")
    row = ft.Row(
        [
            ft.Icon(ft.Icons.PLACE_OUTLINED, color=theme.INK_SOFT),
            cards.stack(words.name(words_of(place)), words.fine(exact), gap=0, expand=True),
        ],
        spacing=theme.GAP,
    )
    body = ft.Container(row, padding=theme.GAP_S, ink=True, border_radius=12, on_click=lambda: choose(place))
    return ft.Semantics(button=True, container=True, label=words_of(place), content=body, key=words_of(place))
