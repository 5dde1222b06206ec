"""Quick add: a person met in the street, with a hint where they are here already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import flet as ft

from domain import errors
from services import leads
from views import cells, component, context, live, routes, shell, strings, theme
from views.agent import lead_words
from views.parts import buttons, cards, chips, error_card, formats, marks, taps, text_field, words

_KEYBOARDS = {"phone": ft.KeyboardType.PHONE, "email": ft.KeyboardType.EMAIL, "name": ft.KeyboardType.NAME}
_TYPED = ("name", "phone", "email", "address", "city", "state", "zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is typed so far; `problems` by field, from the service."""

    new: leads.NewLead
    problems: tuple[tuple[str, str], ...] = ()

    def problem(self, name: str) -> str:
        return dict(self.problems).get(name, "")


@component.screen
def quick_add_screen() -> ft.View:
    app = context.use_app()
    service = app.service(leads.Leads)
    draft = cells.use_cell(Draft(new=leads.NewLead(name="")))
    new = draft.value.new
    known = live.use_live(
        lambda: service.duplicates(phone=new.phone, email=new.email, name=new.name),
        *(new.phone, new.email, new.name),
        tables=("leads",),
    )
    sources = live.use_live(service.sources, tables=("leads",))
    under = routes.NEARBY if (ft.context.page.route or "").startswith(routes.NEARBY) else routes.LEADS

    def save() -> None:
        try:
            lead_id = service.quick_add(draft.value.new)
        except errors.InputError as error:
            found = (error.where.removeprefix("leads."), " ".join(error_card.explain(error)))
            draft.change(lambda old: replace(old, problems=(found,)))
        else:
            app.go(routes.lead(lead_id, under=under))

    body = cards.page(
        _who(draft),
        *([_known(known, lambda lead_id: app.go(routes.lead(lead_id, under=under)))] if known else []),
        _where(draft),
        _more(draft, sources),
        _consent(draft),
    )
    button = buttons.primary(
        strings.t("agent_field.quick.save"), save, icon=ft.Icons.CHECK, id="save-lead", expand=not app.wide
    )
    bottom = ft.Row([button], alignment=ft.MainAxisAlignment.END)
    return shell.frame(strings.t("agent_field.quick.title"), body, within=routes.Screen.LEADS, bottom=bottom)


def _change(draft: cells.Cell[Draft], name: str) -> Callable[[object], None]:
    def change(value: object) -> None:
        draft.change(
            lambda old: replace(
                old,
                new=replace(old.new, **{name: value}),  # type: ignore[arg-type]
                problems=tuple(item for item in old.problems if item[0] != name),
            )
        )

    return change


def _field(draft: cells.Cell[Draft], name: str, *, lines: int = 1) -> ft.Control:
    return text_field.text_field(
        strings.t(f"agent_field.field.{name}"),
        getattr(draft.value.new, name),
        on_change=_change(draft, name),
        problem=draft.value.problem(name),
        keyboard=_KEYBOARDS.get(name, ft.KeyboardType.TEXT),
        lines=lines,
    )


def _who(draft: cells.Cell[Draft]) -> ft.Control:
    def as_kind(kind: str) -> Callable[[], None]:
        return lambda: _change(draft, "kind")(kind)

    kinds: list[ft.Control] = [
        chips.choice(lead_words.kind(kind), draft.value.new.kind == kind, as_kind(kind), id=f"quick-{kind}")
        for kind in lead_words.KINDS
    ]
    return cards.stack(
        ft.Row(kinds, spacing=theme.GAP_S),
        _field(draft, "name"),
        _field(draft, "phone"),
        _field(draft, "email"),
    )


def _known(known: Sequence[leads.Duplicate], open_lead: Callable[[str], None]) -> ft.Control:
    """They may be here already: nothing is stopped, one can look."""

    def opening(lead_id: str) -> Callable[[], None]:
        return lambda: open_lead(lead_id)

    rows: list[ft.Control] = [
        ft.Row(
            [
                cards.stack(
                    words.name(item.name, color=theme.ON_WARN_SOFT),
                    words.fine(
                        lead_words.joined(item.why, formats.phone(item.phone) if item.phone else item.email),
                        color=theme.ON_WARN_SOFT,
                    ),
                    gap=0,
                    expand=True,
                ),
                buttons.outlined(strings.t("agent_field.open"), opening(item.id), id=f"known-{item.id}"),
            ],
            key=item.id,
        )
        for item in known[:3]
    ]
    title = words.label_line(strings.count("agent_field.quick.known", len(known)), color=theme.ON_WARN_SOFT)
    head = ft.Row([ft.Icon(ft.Icons.PEOPLE_OUTLINE, color=theme.ON_WARN_SOFT, size=20), title])
    box = ft.Container(
        cards.stack(head, *rows), bgcolor=theme.WARN_SOFT, border_radius=theme.RADIUS, padding=theme.GAP_L
    )
    return marks.announced(box, identifier="duplicates")


def _where(draft: cells.Cell[Draft]) -> ft.Control:
    codes = ft.Row(
        [ft.Container(_field(draft, name), expand=True) for name in ("state", "zip")],
        spacing=theme.GAP_S,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    rows = cards.stack(_field(draft, "address"), _field(draft, "city"), codes)
    return cards.section(strings.t("agent_field.quick.where"), [rows])


def _more(draft: cells.Cell[Draft], sources: Sequence[str]) -> ft.Control:
    def pick(source: str) -> Callable[[], None]:
        return lambda: _change(draft, "source")(source)

    used = draft.value.new.source
    offered: list[ft.Control] = [
        chips.choice(source, used == source, pick(source), id=f"source-{source}") for source in sources[:6]
    ]
    rows: list[ft.Control] = [_field(draft, "source")]
    if offered:
        rows.append(ft.Row(offered, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True))
    return cards.section(
        strings.t("agent_field.quick.more"), [cards.stack(*rows, _field(draft, "note", lines=3))]
    )


def _consent(draft: cells.Cell[Draft]) -> ft.Control:
    """Never ticked beforehand: only what they really said."""

    def box(name: str) -> ft.Control:
        tick = ft.Checkbox(
            label=strings.t(f"agent_field.quick.{name}"),
            value=getattr(draft.value.new, name),
            on_change=lambda event: _change(draft, name)(bool(taps.chosen(event))),
            active_color=theme.BRAND,
            label_style=ft.TextStyle(size=16, color=theme.INK),
        )
        return marks.mark(f"quick-{name}", tick)

    rows = [box("consent_text"), box("consent_call")]
    if draft.value.new.consent_text or draft.value.new.consent_call:
        rows.append(_field(draft, "consent_words"))
    note = strings.t("agent_field.quick.consent.note")
    return cards.section(
        strings.t("agent_field.quick.consent"), [cards.stack(*rows)], note=note, gap=theme.GAP_S
    )
