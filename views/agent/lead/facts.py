"""A lead's facts, each changed in its place: saved when one leaves the field, with undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import flet as ft

from domain import facts as known_words
from domain import leads as rules
from services import leads
from services.conflicts import ConflictItem
from views import cells, component, context, device, strings, theme
from views.agent import lead_words
from views.agent.lead import choice_row, disputes, stage_row, typed
from views.parts import cards, field_row, formats, toasts, words

_KEYBOARDS = {"phone": ft.KeyboardType.PHONE, "email": ft.KeyboardType.EMAIL}
_PARSERS: Mapping[str, Callable[[str], object]] = {"price_cents": typed.cents, "timeline_days": typed.days}
_WORDS = {
    "motivation": tuple(known_words.MOTIVATION),
    "condition": tuple(known_words.CONDITION),
    "financing": tuple(known_words.FINANCING),
}
_YES_NO = {"yes": True, "no": False}


@component.component
def facts_card(
    lead: leads.LeadFacts, sync: str, disputed: Mapping[str, ConflictItem], zone: ZoneInfo
) -> ft.Control:
    """Contact, house, wishes, stage: every field saves by itself; a second value stands below its field."""
    app = context.use_app()
    page = ft.context.page
    service = app.service(leads.Leads)
    saved: cells.Cell[frozenset[str]] = cells.use_cell(frozenset())

    def save(name: str, value: object, **more: object) -> None:
        edited = service.edit(lead.id, **{name: value}, **more)
        if edited.changed:
            saved.change(lambda old: old | {name})
            label = strings.t(f"agent_field.field.{name}")
            toasts.undo(page, device.t("agent_field.saved", field=label), lambda: service.undo(edited))

    def state(name: str) -> str:
        return sync if name in saved.value else ""

    def both(name: str, control: ft.Control) -> ft.Control:
        item = disputed.get(name)
        if item is None:
            return control
        other = disputes.beside(name, item, app.now(), zone, key=f"beside-{item.id}-{name}")
        return cards.stack(control, other, gap=6)

    def field(name: str, value: str, note: str = "") -> ft.Control:
        parse = _PARSERS.get(name, str)
        row = field_row.field_row(
            strings.t(f"agent_field.field.{name}"),
            value,
            lambda text: save(name, parse(text)),
            keyboard=_KEYBOARDS.get(name, ft.KeyboardType.TEXT),
            state=state(name),
            note=note,
            key=f"{lead.id}-{name}",
        )
        return both(name, row)

    def pick(name: str, value: str) -> ft.Control:
        options = {word: strings.t(f"agent_field.word.{word}") for word in _WORDS[name]}
        row = choice_row.choice_row(
            strings.t(f"agent_field.field.{name}"),
            value,
            options,
            lambda chosen: save(name, chosen or None),
            id=name,
            state=state(name),
            key=f"{lead.id}-{name}",
        )
        return both(name, row)

    stage = stage_row.stage_row(
        lead.stage,
        lead.stage_reason,
        lambda new, reason: save("stage", new, stage_reason=reason),
        state("stage"),
        key=f"{lead.id}-stage",
    )
    groups = [
        ("contact", _contact(lead, field)),
        ("house", _house(lead, field)),
        ("wishes", _wishes(lead, field, pick)),
        ("consent", _consent(lead, save, field, state)),
    ]
    return cards.stack(
        cards.section(strings.t("agent_field.lead.stage"), [both("stage", stage)]),
        *[
            cards.section(strings.t(f"agent_field.lead.{name}"), [cards.card(cards.stack(*rows))])
            for name, rows in groups
        ],
        words.fine(_origin(lead), lines=3),
        gap=theme.GAP_XL,
    )


Field = Callable[..., ft.Control]


def _contact(lead: leads.LeadFacts, field: Field) -> list[ft.Control]:
    phone = formats.phone(lead.phone) if lead.phone else ""
    return [field("name", lead.name), field("phone", phone), field("email", lead.email)]


def _house(lead: leads.LeadFacts, field: Field) -> list[ft.Control]:
    note = strings.t("agent_field.lead.no_position") if lead.address and lead.lat is None else ""
    codes = ft.Row(
        [ft.Container(field(name, getattr(lead, name)), expand=True) for name in ("state", "zip")],
        spacing=theme.GAP_S,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    return [field("address", lead.address, note), field("city", lead.city), codes]


def _wishes(lead: leads.LeadFacts, field: Field, pick: Callable[[str, str], ft.Control]) -> list[ft.Control]:
    price = formats.money(lead.price_cents, exact=True) if lead.price_cents else ""
    dated = strings.t("agent_field.lead.price_on", when=f"{lead.price_on:%-d %b %Y}") if lead.price_on else ""
    days = "" if lead.timeline_days is None else str(lead.timeline_days)
    rows = [field("price_cents", price, dated), field("timeline_days", days)]
    if lead.kind == rules.Kind.BUYER:
        return [*rows, field("area", lead.area), pick("financing", lead.financing)]
    return [*rows, pick("motivation", lead.motivation), pick("condition", lead.condition)]


def _consent(
    lead: leads.LeadFacts, save: Callable[..., None], field: Field, state: Callable[[str], str]
) -> list[ft.Control]:
    def tick(name: str, value: bool | None) -> ft.Control:
        chosen = "" if value is None else "yes" if value else "no"
        return choice_row.choice_row(
            strings.t(f"agent_field.field.{name}"),
            chosen,
            {key: strings.t(f"agent_field.word.{key}") for key in _YES_NO},
            lambda key: save(name, _YES_NO.get(key)),
            id=name,
            state=state(name),
            key=f"{lead.id}-{name}",
        )

    given = (
        strings.t("agent_field.lead.consent_at", when=f"{lead.consent_at:%-d %b %Y}")
        if lead.consent_at
        else ""
    )
    return [
        tick("consent_text", lead.consent_text),
        tick("consent_call", lead.consent_call),
        field("consent_words", lead.consent_words, given),
    ]


def _origin(lead: leads.LeadFacts) -> str:
    """Where the lead came from and who has it."""
    return lead_words.joined(
        strings.t("agent_field.lead.source", source=lead.source) if lead.source else "",
        strings.t("agent_field.lead.owner", name=lead.agent_name or strings.t("agent_field.leads.nobody")),
        lead.location_name,
        strings.t("agent_field.lead.created", when=f"{lead.created_at:%-d %b %Y}"),
    )
