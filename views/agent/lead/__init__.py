"""One lead: who, whether we may reach them, why it is worth it, what is next, and all that happened."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from domain import errors
from services import leads
from views import component, context, live, routes, shell, strings, theme
from views.agent.lead import disputes, facts, header, history, house, score, work
from views.parts import buttons, cards, empty_state

_COLUMNS_FROM = 1000


@component.screen
def lead_screen() -> ft.View:
    app = context.use_app()
    lead_id = ft.use_route_params().get("lead_id", "")
    service = app.service(leads.Leads)
    zone = service.desk.zone()
    turn = live.use_tick(30)  # the legal window opens and closes by itself
    view = live.use_live(lambda: _read(service, lead_id), lead_id, turn)
    within = _opened_under(ft.context.page.route or "")
    if view is None:
        return shell.frame(strings.t("agent_field.lead.title"), _gone(app), within=within)
    columns = (ft.context.page.width or 0) >= _COLUMNS_FROM
    body = _columns(view, app.now(), zone) if columns else _column(view, app.now(), zone)
    return shell.frame(strings.t("agent_field.lead.title"), body, within=within, bottom=header.ways(view))


def _read(service: leads.Leads, lead_id: str) -> leads.LeadView | None:
    try:
        return service.view(lead_id)
    except errors.NotFoundError:
        return None


def _opened_under(route: str) -> routes.Screen:
    """The tab that stays lit: the one whose list the lead was opened from."""
    first = route.strip("/").split("/")[0]
    return routes.Screen(first) if first in set(routes.Screen) else routes.Screen.LEADS


def _gone(app: context.AppContext) -> ft.Control:
    back = buttons.primary(strings.t("agent_field.leads.title"), lambda: app.go(routes.LEADS), id="to-leads")
    return empty_state.empty_state(
        ft.Icons.PERSON_OFF_OUTLINED,
        strings.t("agent_field.lead.gone.title"),
        strings.t("agent_field.lead.gone.text"),
        action=back,
        id="lead-gone",
    )


def _top(view: leads.LeadView, now: datetime, zone: ZoneInfo) -> list[ft.Control]:
    return [header.header(view, now), *disputes.top(view, zone), header.law(view)]


def _left(view: leads.LeadView, now: datetime) -> list[ft.Control]:
    lead_id = view.facts.id
    return [
        work.tasks_part(lead_id, view.tasks, now, key=f"tasks-{lead_id}"),
        work.notes_part(lead_id, view.notes, now, key=f"notes-{lead_id}"),
    ]


def _middle(view: leads.LeadView) -> list[ft.Control]:
    return [
        cards.section(strings.t("agent_field.lead.score"), [score.score_card(view.score, view.temperature)]),
        cards.section(strings.t("agent_field.lead.answers"), [score.answers_card(view.qualification)]),
    ]


def _facts(view: leads.LeadView, zone: ZoneInfo) -> list[ft.Control]:
    lead = view.facts
    return [
        facts.facts_card(lead, view.sync.value, disputes.by_field(view), zone, key=f"facts-{lead.id}"),
        disputes.past_part(view.decided, zone, key=f"past-{lead.id}"),
        header.opt_out(lead, key=f"optout-{lead.id}"),
    ]


def _worth(view: leads.LeadView) -> list[ft.Control]:
    comps = house.comps_part(view.facts, view.properties, key=f"comps-{view.facts.id}")
    return [*house.deals_part(view.deals), comps]


def _past(view: leads.LeadView, now: datetime) -> ft.Control:
    return history.history_part(view.facts.id, view.timeline, now, key=f"history-{view.facts.id}")


def _column(view: leads.LeadView, now: datetime, zone: ZoneInfo) -> ft.Control:
    return cards.page(
        *_top(view, now, zone),
        *_left(view, now),
        *_middle(view),
        *_facts(view, zone),
        *_worth(view),
        _past(view, now),
        gap=theme.GAP_XL,
    )


def _columns(view: leads.LeadView, now: datetime, zone: ZoneInfo) -> ft.Control:
    """Desktop: what to do and what was said on the left; why, facts and money on the right."""
    left = cards.page(
        *_top(view, now, zone), *_left(view, now), _past(view, now), gap=theme.GAP_XL, wide=True
    )
    right = cards.page(*_middle(view), *_worth(view), *_facts(view, zone), gap=theme.GAP_XL, wide=True)
    return ft.Row(
        [ft.Container(left, expand=1), ft.Container(right, expand=1)],
        spacing=0,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )
