"""What happened with a lead, newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime

import flet as ft

from services import leads
from views import cells, component, context, strings, theme
from views.parts import buttons, cards, chips, formats, marks, words

_ICONS = {
    "call": ft.Icons.CALL,
    "text": ft.Icons.SMS_OUTLINED,
    "email": ft.Icons.MAIL_OUTLINE,
    "visit": ft.Icons.HOME_OUTLINED,
    "web": ft.Icons.LANGUAGE,
}


@component.component
def history_part(lead_id: str, first: leads.Timeline, now: datetime) -> ft.Control:
    """The newest page is live; older ones are added by hand."""
    service = context.use_app().service(leads.Leads)
    older: cells.Cell[tuple[leads.Timeline, ...]] = cells.use_cell(())
    pages = (first, *older.value)
    last = pages[-1]

    def more() -> None:
        older.change(lambda old: (*old, service.timeline(lead_id, before=last.next_before)))

    seen: dict[str, leads.TimelineItem] = {item.id: item for page in pages for item in page.items}
    rows: list[ft.Control] = [_event(item, now) for item in seen.values()]
    if not rows:
        rows.append(words.soft(strings.t("agent_field.history.none")))
    body = [cards.card(cards.stack(*rows, gap=theme.GAP_L))]
    parts: list[ft.Control] = list(body)
    if last.next_before is not None:
        parts.append(buttons.outlined(strings.t("agent_field.history.older"), more, id="older"))
    return marks.mark("timeline", cards.section(strings.t("agent_field.lead.history"), parts))


def _event(item: leads.TimelineItem, now: datetime) -> ft.Control:
    who = item.who or strings.t(
        "agent_field.history.lead" if item.direction == "inbound" else "agent_field.history.us"
    )
    way = item.channel or item.kind
    facts = [
        strings.t(f"agent_field.history.{item.kind}.{item.direction or 'other'}"),
        formats.seconds(item.seconds) if item.seconds else "",
        formats.moment(item.at, now),
    ]
    rows: list[ft.Control] = [
        words.name(who),
        words.fine(" · ".join(part for part in facts if part), lines=2),
    ]
    if item.body:
        rows.append(words.body(item.body, lines=6))
    if item.outcome:
        rows.append(words.soft(strings.t("agent_field.history.outcome", outcome=item.outcome), lines=2))
    if item.sync.value != "on_server":
        rows.append(ft.Row([chips.sync_state(item.sync.value)]))
    theirs = item.direction == "inbound"
    badge = ft.Container(
        ft.Icon(
            _ICONS.get(way, ft.Icons.CIRCLE_OUTLINED),
            size=18,
            color=theme.ON_BRAND_SOFT if theirs else theme.INK_SOFT,
        ),
        width=36,
        height=36,
        border_radius=18,
        bgcolor=theme.BRAND_SOFT if theirs else theme.SUNK,
        alignment=ft.Alignment.CENTER,
    )
    return ft.Row(
        [badge, cards.stack(*rows, gap=2, expand=True)],
        spacing=theme.GAP,
        vertical_alignment=ft.CrossAxisAlignment.START,
        key=item.id,
    )
