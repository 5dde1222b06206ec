"""Two leads side by side: the same person twice, or two people?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import flet as ft

from services import conflicts
from services.conflicts import Pair, Twin
from views import component, context, routes, strings, theme
from views.agent import lead_words, review_words
from views.parts import buttons, cards, chips, dialogs, formats, marks, toasts, words


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.pair.{key}", **values)


@component.component
def pair_card(pair: Pair, here: str = "", key: str = "") -> ft.Control:
    """`here`: the lead whose page this is."""
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(conflicts.Conflicts)

    def merge() -> None:
        service.merge(pair.conflict_id)
        toasts.show(page, _t("merged"))

    def two_people() -> None:
        service.two_people(pair.conflict_id)
        toasts.show(page, _t("apart"))

    def ask() -> None:
        dialogs.confirm(
            page,
            _t("merge.title"),
            _t("merge.text", name=pair.one.name),
            yes=_t("merge"),
            on_yes=merge,
        )

    state = (
        chips.sync_state("needs_you")
        if pair.open
        else chips.chip(strings.t("sync.conflict.decided"), tone=theme.GOOD_TONE, icon=ft.Icons.CHECK)
    )
    head = ft.Row(
        [
            cards.stack(words.name(_t("title")), words.soft(_note(pair), lines=3), gap=0, expand=True),
            state,
        ],
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    rows: list[ft.Control] = [head, _twins(app, pair, here)]
    if pair.open:
        rows.append(_choices(pair, ask, two_people))
    return marks.mark(f"pair-{pair.conflict_id}", cards.card(cards.stack(*rows)))


def _note(pair: Pair) -> str:
    same = [_t(f"same.{name}") for name in ("phone", "email", "address", "name") if name in pair.same]
    return _t("note", same=", ".join(same) or _t("same.none"))


def _choices(pair: Pair, ask: Callable[[], None], two_people: Callable[[], None]) -> ft.Control:
    return cards.line(
        buttons.secondary(_t("merge"), ask, icon=ft.Icons.MERGE, id=f"merge-{pair.conflict_id}"),
        buttons.outlined(_t("two"), two_people, icon=ft.Icons.PEOPLE_OUTLINE, id=f"two-{pair.conflict_id}"),
        wrap=True,
    )


def _twins(app: context.AppContext, pair: Pair, here: str) -> ft.Control:
    """Beside each other also on a phone, line by line: comparing is the whole point."""
    one, other = _facts(pair.one, app.now()), _facts(pair.other, app.now())
    told = [name for name in one if one[name] or other[name]]
    return ft.Row(
        [
            _twin(
                app,
                twin,
                [_fact(name, facts[name] or formats.NOTHING, same=name in pair.same) for name in told],
                is_here=twin.id == here,
                first=twin is pair.one,
            )
            for twin, facts in ((pair.one, one), (pair.other, other))
        ],
        spacing=theme.GAP_S,
        intrinsic_height=True,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _twin(
    app: context.AppContext, twin: Twin, facts: Sequence[ft.Control], *, is_here: bool, first: bool
) -> ft.Control:
    title = words.name(twin.name or formats.NOTHING)
    title.max_lines = 2
    rows: list[ft.Control] = [title, *facts]
    if is_here:
        rows.append(words.fine(_t("this")))
    if not twin.here:
        rows.append(words.fine(_t("elsewhere"), lines=2))
    way = routes.lead(twin.id)
    return ft.Container(
        cards.stack(*rows, gap=6),
        bgcolor=theme.BRAND_SOFT if first else theme.SUNK,
        border_radius=12,
        padding=theme.GAP,
        expand=True,
        ink=twin.here and not is_here,
        on_click=(lambda: app.go(way)) if twin.here and not is_here else None,
    )


def _facts(twin: Twin, now: datetime) -> dict[str, str]:
    """By name; empty = not known."""
    return {
        "phone": formats.phone(twin.phone) if twin.phone else "",
        "email": twin.email,
        "address": twin.address,
        "stage": lead_words.stage(twin.stage) if twin.stage else "",
        "agent": twin.agent_name or (_t("nobody") if twin.here else ""),
        "source": review_words.value("source", twin.source),
        "made": formats.moment(twin.created_at, now) if twin.created_at else "",
        "touch": formats.ago(twin.last_touch_at, now) if twin.last_touch_at else "",
    }


def _fact(name: str, text: str, *, same: bool) -> ft.Control:
    """What is equal in both is marked by a sign, not by colour alone."""
    label: list[ft.Control] = [words.fine(_t(name))]
    if same:
        sign = ft.Icon(ft.Icons.DRAG_HANDLE, size=16, color=theme.GOOD, semantics_label=_t("equal"))
        label.append(sign)
    return cards.stack(ft.Row(label, spacing=4), words.body(text, lines=2), gap=0)
