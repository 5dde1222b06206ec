"""The sign-in: e-mail and password, with paste and the platform's own password store."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import flet as ft

from domain import errors
from views import cells, component, context, strings, theme
from views.parts import banners, buttons, cards, marks, text_field, words

LOG = logging.getLogger(__name__)
SignIn = Callable[[str, str], Awaitable[context.Access]]


class ServerChoice(Protocol):
    """Which server this device belongs to; only a phone or a desktop asks, a browser's app knows."""

    def address(self) -> str: ...

    def choose(self, address: str) -> None:
        """Raises: InputError for what is no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    email: str = ""
    password: str = ""
    busy: bool = False
    problem: str = ""
    server: str = ""


@component.screen
def login_screen(
    sign_in: SignIn,
    on_entered: Callable[[context.Access], None],
    demo: bool = False,
    server: ServerChoice | None = None,
    note: str = "",
) -> ft.View:
    """Whatever address was asked for stays in the browser, and opens after the sign-in. `note`: why one is here again."""
    form = cells.use_cell(_Form(server=server.address() if server else ""))

    async def submit() -> None:
        typed = form.value
        if not typed.email.strip() or not typed.password:
            form.set(replace(typed, problem=strings.t("kit.login.empty")))
            return
        form.set(replace(typed, busy=True, problem=""))
        try:
            if server is not None:
                server.choose(typed.server)
            access = await sign_in(typed.email.strip(), typed.password)
        except errors.JorgeError as error:
            LOG.info("login.refused error=%s", type(error).__name__)
            form.set(replace(form.value, busy=False, problem=f"{error.message} {error.hint}".strip()))
        else:
            on_entered(access)

    return ft.View(
        route="/",
        bgcolor=theme.GROUND,
        padding=theme.GAP_XL,
        vertical_alignment=ft.MainAxisAlignment.CENTER,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        scroll=ft.ScrollMode.AUTO,
        controls=[_brand(demo), *_why(note), _form(form, submit, demo, ask_server=server is not None)],
    )


def _brand(demo: bool) -> ft.Control:
    rows: list[ft.Control] = [
        ft.Image(src="icon.svg", width=72, height=72, semantics_label=strings.t("kit.app")),
        words.big(strings.t("kit.app")),
        words.soft(strings.t("kit.login.slogan")),
    ]
    if demo:
        rows.append(banners.demo_badge())
    return ft.Container(
        ft.Column(rows, horizontal_alignment=ft.CrossAxisAlignment.CENTER, spacing=theme.GAP_S, tight=True),
        padding=ft.Padding.only(bottom=theme.GAP_XL),
    )


def _why(note: str) -> list[ft.Control]:
    if not note:
        return []
    box = ft.Container(
        words.body(note, color=theme.ON_WARN_SOFT),
        bgcolor=theme.WARN_SOFT,
        border_radius=theme.RADIUS,
        padding=theme.GAP_L,
        margin=ft.Margin.only(bottom=theme.GAP_L),
        width=440,
    )
    return [marks.announced(box, identifier="login-note")]


def _form(
    cell: cells.Cell[_Form], submit: Callable[[], Awaitable[None]], demo: bool, *, ask_server: bool
) -> ft.Control:
    form = cell.value
    email = text_field.text_field(
        strings.t("kit.login.email"),
        form.email,
        on_change=lambda text: cell.change(lambda typed: replace(typed, email=text, problem="")),
        keyboard=ft.KeyboardType.EMAIL,
        autofill=ft.AutofillHint.USERNAME,
        icon=ft.Icons.ALTERNATE_EMAIL,
    )
    password = text_field.text_field(
        strings.t("kit.login.password"),
        form.password,
        on_change=lambda text: cell.change(lambda typed: replace(typed, password=text, problem="")),
        on_submit=lambda _: submit(),
        password=True,
        autofill=ft.AutofillHint.PASSWORD,
        icon=ft.Icons.LOCK_OUTLINE,
    )
    rows: list[ft.Control] = [email, password]
    if ask_server:
        rows.append(
            text_field.text_field(
                strings.t("kit.login.server"),
                form.server,
                on_change=lambda text: cell.change(lambda typed: replace(typed, server=text, problem="")),
                keyboard=ft.KeyboardType.URL,
                hint="https://jorge.example.com",
                icon=ft.Icons.DNS_OUTLINED,
            )
        )
    if form.problem:
        rows.append(marks.announced(words.body(form.problem, color=theme.BAD), identifier="login-problem"))
    word = strings.t("kit.login.busy" if form.busy else "kit.login.button")
    rows.append(buttons.primary(word, submit, disabled=form.busy, id="sign-in"))
    if demo:
        rows.append(words.fine(strings.t("kit.login.demo"), lines=3))
    return ft.Container(
        cards.card(ft.AutofillGroup(cards.stack(*rows, gap=theme.GAP_L)), padding=theme.GAP_XL), width=440
    )
