"""What is in the way, in words that say what to do; and the door back in where the server forgot this device."""

from __future__ import annotations

from datetime import timedelta

import flet as ft

from domain import errors
from services.sync_centre import Trouble, TroubleKind
from views import cells, component, context, strings, theme
from views.parts import buttons, cards, error_card, formats, marks, text_field, toasts, words

_ICONS = {
    TroubleKind.SIGN_IN: ft.Icons.LOCK_OUTLINE,
    TroubleKind.UPDATE: ft.Icons.SYSTEM_UPDATE_ALT,
    TroubleKind.NO_ACCESS: ft.Icons.BLOCK,
    TroubleKind.CAPTIVE: ft.Icons.WIFI_LOCK,
    TroubleKind.FULL: ft.Icons.SD_CARD_ALERT_OUTLINED,
    TroubleKind.STORE: ft.Icons.SD_CARD_ALERT_OUTLINED,
    TroubleKind.CLOCK: ft.Icons.MORE_TIME,
}


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.trouble.{key}", **values)


def title(found: Trouble) -> str:
    if found.kind is TroubleKind.CLOCK:
        way = "ahead" if found.ahead > timedelta() else "behind"
        return _t(f"clock.{way}.title", span=formats.stretch(abs(found.ahead)))
    return _t(f"{found.kind}.title")


def text(found: Trouble) -> str:
    """Our own words where we know the kind; else the server's."""
    if found.kind is TroubleKind.OTHER:
        return f"{found.message} {found.hint}".strip()
    return _t(f"{found.kind}.text")


def trouble_card(found: Trouble) -> ft.Control:
    """Announced: it may come while somebody looks at the screen."""
    rows: list[ft.Control] = [
        cards.line(
            ft.Icon(_ICONS.get(found.kind, ft.Icons.INFO_OUTLINE), color=theme.ON_WARN_SOFT),
            words.name(title(found), color=theme.ON_WARN_SOFT, expand=True),
            gap=theme.GAP,
        ),
        words.body(text(found), color=theme.ON_WARN_SOFT),
    ]
    if found.kind is TroubleKind.SIGN_IN:
        rows.append(sign_in_again())
    elif found.message and found.kind is not TroubleKind.OTHER:
        rows.append(words.fine(found.message, color=theme.ON_WARN_SOFT, lines=3))
    box = ft.Container(
        cards.stack(*rows, gap=theme.GAP_S),
        bgcolor=theme.WARN_SOFT,
        border_radius=theme.RADIUS,
        padding=theme.GAP_L,
    )
    return marks.announced(box, identifier=f"trouble-{found.kind}")


@component.component
def sign_in_again() -> ft.Control:
    """The password, in its place: signing out first would be blocked by the work that waits."""
    app = context.use_app()
    page = ft.context.page
    typed, busy, problem = cells.use_cell(""), cells.use_cell(False), cells.use_cell("")

    async def submit() -> None:
        busy.set(True)
        problem.set("")
        try:
            await app.sign_in_again(typed.value)
        except errors.JorgeError as error:
            problem.set(" ".join(error_card.explain(error)))
        else:
            toasts.show(page, strings.t("sync.sign_in.done"))
        finally:
            busy.set(False)

    field = text_field.text_field(
        strings.t("kit.login.password"),
        typed.value,
        on_change=typed.set,
        on_submit=lambda _: submit(),
        password=True,
        autofill=ft.AutofillHint.PASSWORD,
        icon=ft.Icons.LOCK_OUTLINE,
    )
    rows: list[ft.Control] = [
        words.fine(strings.t("sync.sign_in.title", name=app.user.email), color=theme.ON_WARN_SOFT),
        field,
    ]
    if problem.value:
        rows.append(marks.announced(words.body(problem.value, color=theme.BAD), identifier="again-problem"))
    button = buttons.secondary(
        strings.t("kit.login.busy") if busy.value else _t("sign_in.do"),
        submit,
        id="sign-in-again",
        disabled=busy.value or not typed.value,
    )
    return cards.stack(*rows, cards.line(button), gap=theme.GAP_S)
