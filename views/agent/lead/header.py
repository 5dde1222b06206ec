"""Who this is and whether we may reach them now, with every way to do so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import flet as ft

from services import contact, leads
from views import cells, component, context, routes, strings, theme
from views.agent import lead_reach, lead_words
from views.agent.lead import move
from views.parts import banners, buttons, cards, chips, dialogs, formats, marks, text_field, toasts, words


def header(view: leads.LeadView, now: datetime) -> ft.Control:
    """Name, temperature, what they want, and the law of the hour."""
    lead = view.facts
    due = lead_words.clock(lead.answer_due_at, now)
    tags: list[ft.Control] = [chips.temperature(view.temperature), chips.chip(lead_words.stage(lead.stage))]
    if view.qualification.is_qualified and lead.stage != "qualified":
        tags.append(
            chips.chip(strings.t("agent_field.qualified"), tone=theme.GOOD_TONE, icon=ft.Icons.VERIFIED)
        )
    if due:
        tags.append(chips.chip(due, tone=theme.WARN_TONE, icon=ft.Icons.TIMER_OUTLINED))
    tags.append(chips.sync_state(view.sync.value))
    about = lead_words.joined(
        lead_words.kind(lead.kind),
        formats.money(lead.price_cents) if lead.price_cents else "",
        lead_words.joined(lead.address, lead.city),
    )
    rows: list[ft.Control] = [
        words.big(lead.name),
        words.soft(about, lines=2),
        ft.Row(tags, spacing=6, run_spacing=6, wrap=True),
    ]
    return marks.mark("lead-header", cards.stack(*rows, gap=6))


def law(view: leads.LeadView) -> ft.Control:
    """Opt-out above all; else the legal window and both consents."""
    lead, state = view.facts, view.contact
    if lead.opted_out:
        said = strings.t("agent_field.law.opted_out", words=lead.opted_out_words or "—")
        return _round(banners.strip(said, tone=theme.BAD_TONE, icon=ft.Icons.BLOCK, id="opted-out"))
    rows = [
        _line(
            ft.Icons.SCHEDULE, strings.t("agent_field.law.window"), state.window_text, ok=state.window.is_open
        ),
        _line(ft.Icons.CALL, strings.t("agent_field.way.call"), state.call.reason, ok=state.call.allowed),
        _line(
            ft.Icons.SMS_OUTLINED, strings.t("agent_field.way.text"), state.text.reason, ok=state.text.allowed
        ),
    ]
    return marks.mark("contact-law", cards.card(cards.stack(*rows, gap=theme.GAP_S), padding=theme.GAP))


def _round(content: ft.Control) -> ft.Control:
    return ft.Container(content, border_radius=theme.RADIUS, clip_behavior=ft.ClipBehavior.ANTI_ALIAS)


def _line(icon: ft.IconData, title: str, text: str, *, ok: bool) -> ft.Control:
    sign = ft.Icon(
        ft.Icons.CHECK_CIRCLE if ok else ft.Icons.LOCK_CLOCK,
        size=18,
        color=theme.GOOD if ok else theme.INK_SOFT,
        semantics_label=strings.t("agent_field.law.yes" if ok else "agent_field.law.no"),
    )
    return ft.Row(
        [
            ft.Icon(icon, size=20, color=theme.INK_SOFT),
            ft.Container(words.label(title), width=52),
            words.body(text, lines=3, expand=True),
            sign,
        ],
        spacing=theme.GAP_S,
    )


@component.component
def ways(view: leads.LeadView) -> ft.Control:
    """Call, text, go; the rest behind "More"."""
    app = context.use_app()
    page = ft.context.page
    lead = view.facts

    def doing(way: str) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            await lead_reach.reach(app, page, way, lead.id)

        return done

    allowed = {
        lead_reach.CALL: view.contact.call.allowed and bool(lead.phone),
        lead_reach.TEXT: view.contact.text.allowed and bool(lead.phone),
        lead_reach.GO: not lead.opted_out and lead.lat is not None,
    }
    items = [lead_reach.button(way, doing(way), allowed=ok, id=way) for way, ok in allowed.items()]
    more = buttons.icon(
        ft.Icons.MORE_HORIZ,
        strings.t("agent_field.lead.more"),
        lambda: _open_sheet(app, page, view),
        id="more",
        ground=theme.SUNK,
    )
    return ft.Row([*items, more], spacing=theme.GAP_S)


def _open_sheet(app: context.AppContext, page: ft.Page, view: leads.LeadView) -> None:
    lead_id = view.facts.id

    async def mail() -> None:
        page.pop_dialog()
        await lead_reach.reach(app, page, lead_reach.MAIL, lead_id)

    def dictate() -> None:
        page.pop_dialog()
        app.go(routes.voice(lead_id))

    def visited() -> None:
        page.pop_dialog()
        app.service(contact.Contact).log_visit(lead_id)
        toasts.show(page, strings.t("agent_field.reach.visit"))

    rows = [
        dialogs.menu_row(
            ft.Icons.MAIL_OUTLINE, strings.t("agent_field.way.mail"), mail, id="mail", note=view.facts.email
        ),
        dialogs.menu_row(ft.Icons.MIC_NONE, strings.t("agent_field.lead.dictate"), dictate, id="dictate"),
        dialogs.menu_row(
            ft.Icons.HOME_OUTLINED, strings.t("agent_field.lead.visit"), visited, id="log-visit"
        ),
    ]
    if app.service(leads.Leads).ways_out(lead_id):
        rows.append(
            dialogs.menu_row(
                ft.Icons.MOVE_UP,
                strings.t("sync.move.open"),
                lambda: move.ask_where(app, page, view.facts),
                id="move-lead",
            )
        )
    dialogs.sheet(page, view.facts.name, rows)


@component.component
def opt_out(lead: leads.LeadFacts) -> ft.Control:
    """They want no more contact: counts at once, and is not undone here."""
    app = context.use_app()
    page = ft.context.page
    opened, typed = cells.use_cell(False), cells.use_cell("")

    def confirmed() -> None:
        app.service(leads.Leads).opt_out(lead.id, typed.value)
        opened.set(False)
        toasts.show(page, strings.t("agent_field.optout.done"))

    def ask() -> None:
        dialogs.confirm(
            page,
            strings.t("agent_field.optout.title", name=lead.name),
            strings.t("agent_field.optout.text"),
            yes=strings.t("agent_field.optout.yes"),
            on_yes=confirmed,
            dangerous=True,
        )

    if lead.opted_out:
        return ft.Container()
    if not opened.value:
        start = buttons.quiet(
            strings.t("agent_field.optout.start"), lambda: opened.set(True), icon=ft.Icons.BLOCK, id="opt-out"
        )
        return ft.Row([start])
    field = text_field.text_field(strings.t("agent_field.optout.field"), typed.value, on_change=typed.set)
    button = buttons.danger(strings.t("agent_field.optout.yes"), ask, id="opt-out-save")
    cancel = buttons.quiet(strings.t("kit.cancel"), lambda: opened.set(False), id="opt-out-cancel")
    return cards.card(cards.stack(field, ft.Row([button, cancel], wrap=True)))
