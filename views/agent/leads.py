"""All leads of this device: filtered, sorted, fifty at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import flet as ft

from services import leads
from views import cells, component, context, live, routes, shell, strings, theme
from views.agent import lead_words
from views.parts import banners, buttons, cards, chips, empty_state, formats, lead_row, text_field, words

_PAGE = 50
_FIELDS = ("temperature", "stage", "kind", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the list shall show."""

    filter: leads.Filter = field(default_factory=lambda: leads.Filter(mine=True, open_only=True))
    sort: leads.Sort = leads.Sort.SCORE
    limit: int = _PAGE
    opened: bool = False

    @property
    def filters(self) -> int:
        """How many of the hidden filters are set."""
        return sum(bool(getattr(self.filter, name)) for name in _FIELDS[1:]) + (not self.filter.open_only)


@component.screen
def leads_screen() -> ft.View:
    app = context.use_app()
    service = app.service(leads.Leads)
    first = Asked(filter=leads.Filter(mine=not app.user.is_executive, open_only=True))
    asked = cells.use_cell(first)
    now = asked.value
    found = live.use_live(
        lambda: service.list(now.filter, sort=now.sort, limit=now.limit),
        *(now.filter, now.sort, now.limit),
        tables=("leads", "outbox", "conflicts", "people"),
    )
    sources = live.use_live(service.sources, tables=("leads",))
    open_lead = ft.use_callback(lambda lead_id: app.go(routes.lead(lead_id)), [id(app.go)])
    rows = [lead_row.lead_row(card(lead, app.now()), open_lead, key=lead.id) for lead in found.items]
    shown = rows or [_nobody(asked, first)]
    add = buttons.icon(
        ft.Icons.PERSON_ADD_ALT,
        strings.t("agent_field.add"),
        lambda: app.go(routes.quick_add()),
        id="add-lead",
        color=theme.BRAND,
    )
    body = cards.page(
        _words_field(asked),
        *_filters(asked, sources),
        _summary(found, app.now()),
        *shown,
        *_more(asked, found),
        gap=theme.GAP,
    )
    return shell.frame(strings.t("agent_field.leads.title"), body, tab=routes.Screen.LEADS, actions=[add])


def card(lead: leads.LeadItem, now: datetime) -> lead_row.LeadCard:
    """A lead of the list in words."""
    money = formats.money(lead.price_cents) if lead.price_cents else ""
    touch = strings.t("agent_field.leads.touch", when=formats.ago(lead.last_touch_at, now))
    owner = lead.agent_name or strings.t("agent_field.leads.nobody")
    return lead_row.LeadCard(
        id=lead.id,
        name=lead.name,
        temperature=lead.temperature,
        detail=lead_words.joined(lead_words.kind(lead.kind), money, lead.address, owner),
        rank=None,
        place=f"{lead.score:.0f} / 100" if lead.score is not None else "",
        badges=(
            lead_words.stage(lead.stage),
            *((strings.t("agent_field.qualified"),) if lead.qualified and lead.stage != "qualified" else ()),
            *((strings.t("agent_field.hours.opted_out"),) if lead.opted_out else ()),
            *((touch,) if lead.last_touch_at else ()),
        ),
        warning=lead_words.clock(lead.answer_due_at, now),
        sync=lead.sync.value,
    )


def _words_field(asked: cells.Cell[Asked]) -> ft.Control:
    return text_field.text_field(
        strings.t("agent_field.leads.words"),
        asked.value.filter.words,
        on_change=lambda text: _filter(asked, words=text),
        icon=ft.Icons.FILTER_LIST,
    )


def _filter(asked: cells.Cell[Asked], **changes: object) -> None:
    now = asked.value
    asked.set(replace(now, filter=replace(now.filter, **changes), limit=_PAGE))  # type: ignore[arg-type]


def _filters(asked: cells.Cell[Asked], sources: tuple[str, ...]) -> list[ft.Control]:
    now = asked.value
    count = strings.t("agent_field.leads.filters", n=f" ({now.filters})" if now.filters else "")
    hot = [
        chips.choice(
            strings.t(f"kit.temperature.{warmth}"),
            now.filter.temperature == warmth,
            _toggle(asked, "temperature", warmth),
            id=f"temperature-{warmth}",
        )
        for warmth in lead_words.TEMPERATURES
    ]
    mine = chips.choice(
        strings.t("agent_field.nearby.mine"),
        now.filter.mine,
        lambda: _filter(asked, mine=not asked.value.filter.mine),
        id="leads-mine",
        icon=ft.Icons.PERSON_OUTLINE,
    )
    more = chips.choice(
        count,
        now.opened,
        lambda: asked.change(lambda old: replace(old, opened=not old.opened)),
        id="leads-filters",
        icon=ft.Icons.TUNE,
    )
    line = ft.Row([more, mine, *hot], spacing=theme.GAP_S, scroll=ft.ScrollMode.HIDDEN)
    return [line, *([_panel(asked, sources)] if now.opened else [])]


def _toggle(asked: cells.Cell[Asked], name: str, value: str) -> Callable[[], None]:
    """A second touch takes the filter away."""

    def flip() -> None:
        present = getattr(asked.value.filter, name)
        _filter(asked, **{name: "" if present == value else value})

    return flip


def _panel(asked: cells.Cell[Asked], sources: tuple[str, ...]) -> ft.Control:
    def sort_by(order: leads.Sort) -> Callable[[], None]:
        return lambda: asked.change(lambda old: replace(old, sort=order, limit=_PAGE))

    orders = [
        chips.choice(
            strings.t(f"agent_field.sort.{order}"),
            asked.value.sort is order,
            sort_by(order),
            id=f"sort-{order}",
        )
        for order in leads.Sort
    ]
    closed = chips.choice(
        strings.t("agent_field.leads.closed"),
        not asked.value.filter.open_only,
        lambda: _filter(asked, open_only=not asked.value.filter.open_only),
        id="leads-closed",
    )
    return cards.card(
        cards.stack(
            _group("sort", orders),
            _group(
                "stage",
                [*_options(asked, "stage", {s: lead_words.stage(s) for s in lead_words.STAGES}), closed],
            ),
            _group("kind", _options(asked, "kind", {k: lead_words.kind(k) for k in lead_words.KINDS})),
            _group("source", _options(asked, "source", {s: s for s in sources[:12]})),
            gap=theme.GAP_L,
        )
    )


def _options(asked: cells.Cell[Asked], name: str, options: Mapping[str, str]) -> list[ft.Control]:
    chosen = getattr(asked.value.filter, name)
    return [
        chips.choice(text, chosen == value, _toggle(asked, name, value), id=f"{name}-{value}")
        for value, text in options.items()
    ]


def _group(name: str, items: list[ft.Control]) -> ft.Control:
    title = words.label(strings.t(f"agent_field.leads.by.{name}"), color=theme.INK_SOFT)
    return cards.stack(
        title, ft.Row(items, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True), gap=theme.GAP_S
    )


def _summary(found: leads.LeadList, now: datetime) -> ft.Control:
    count = strings.count("agent_field.leads.count", found.total, shown=f"{found.total:,}")
    return ft.Row([words.label(count), banners.freshness(found.as_of, now)], spacing=theme.GAP_S)


def _more(asked: cells.Cell[Asked], found: leads.LeadList) -> list[ft.Control]:
    if not found.more:
        return []
    text = strings.t("agent_field.more", shown=len(found.items), total=f"{found.total:,}")
    grow = buttons.outlined(
        text, lambda: asked.change(lambda old: replace(old, limit=old.limit + _PAGE)), id="show-more"
    )
    return [grow]


def _nobody(asked: cells.Cell[Asked], first: Asked) -> ft.Control:
    reset = buttons.secondary(strings.t("agent_field.leads.reset"), lambda: asked.set(first), id="reset")
    return empty_state.empty_state(
        ft.Icons.PERSON_SEARCH,
        strings.t("agent_field.leads.none.title"),
        strings.t("agent_field.leads.none.text"),
        action=reset if asked.value != first else None,
        id="no-leads",
    )
