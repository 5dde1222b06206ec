"""Differences about this lead, in the place of work: what waits for a decision, what was decided, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import conflicts, leads, sync_centre
from services.conflicts import ConflictItem
from views import cells, component, context, live, strings, theme
from views.agent import conflict, conflict_words, fix, pair, review_words
from views.agent.sync_centre import lost
from views.parts import buttons, cards, formats, words


def top(view: leads.LeadView, zone: ZoneInfo) -> list[ft.Control]:
    """Above everything else: what needs this person now, and what happened to their values."""
    lead_id = view.facts.id
    found: list[ft.Control] = [refused(lead_id, key=f"refused-{lead_id}")]
    rows: list[ft.Control] = [
        conflict.conflict_row(item, zone, on_lead=True, key=item.id) for item in view.conflicts
    ]
    if rows:
        found.append(cards.section(strings.t("agent_field.lead.conflicts"), rows))
    if view.lost:
        news: list[ft.Control] = [
            lost.lost_card(item, zone, on_lead=True, key=f"lost-{item.id}") for item in view.lost
        ]
        found.append(cards.section(strings.t("sync.lost.title"), news, gap=theme.GAP_S))
    found += [pair.pair_card(both, here=lead_id, key=both.conflict_id) for both in view.pairs]
    return found


@component.component
def refused(lead_id: str) -> ft.Control:
    """Changes of this lead that the server refused, ready to be put right."""
    service = context.use_app().service(sync_centre.SyncCentre)
    found = live.use_live(lambda: service.parked_of(lead_id), lead_id, tables=("outbox", "leads"))
    rows: list[ft.Control] = [
        fix.fix_card(item, key=item.group) for item in found if not item.blocked and item.correctable
    ]
    return cards.stack(*rows) if rows else ft.Container(height=0)


@component.component
def past_part(decided: Sequence[ConflictItem], zone: ZoneInfo) -> ft.Control:
    """What was settled stays here, and each other value is one tap away."""
    shown = cells.use_cell(False)
    if not decided:
        return ft.Container(height=0)
    title = (
        strings.t("sync.conflict.past.hide")
        if shown.value
        else strings.t("sync.conflict.past.show", n=len(decided))
    )
    fold = buttons.quiet(
        title, lambda: shown.set(not shown.value), icon=ft.Icons.HISTORY, id="settled-differences"
    )
    rows: list[ft.Control] = [cards.line(fold)]
    if shown.value:
        rows += [conflict.conflict_row(item, zone, on_lead=True, key=item.id) for item in decided]
    return cards.stack(*rows, gap=theme.GAP_S)


@component.component
def beside(name: str, item: ConflictItem, now: datetime, zone: ZoneInfo) -> ft.Control:
    """Below a field of the lead: the value that does not count, whose it is, and one tap to take it."""
    app = context.use_app()
    service = app.service(conflicts.Conflicts)
    side = "winner" if item.loser_stands else "loser"
    at = item.winner_at if side == "winner" else item.loser_at
    mine = item.mine_won is not None and item.mine_won is (side == "winner")
    said = strings.t(
        "sync.conflict.beside.mine" if mine else "sync.conflict.beside",
        name=conflict_words.author(item, side),
        value=_value(item, name, side),
        when=formats.moment(at, now, zone),
    )

    def take() -> None:
        (service.keep_winner if side == "winner" else service.restore_loser)(item.id)

    word = strings.t(
        "sync.conflict.take_mine" if mine else "sync.conflict.take",
        name=conflict_words.author(item, side),
    )
    row = ft.Row(
        [
            ft.Icon(ft.Icons.SWAP_HORIZ, size=20, color=theme.ON_WARN_SOFT),
            words.fine(said, color=theme.ON_WARN_SOFT, lines=3, expand=True),
            buttons.quiet(word, take, id=f"beside-{name}-{item.id}"),
        ],
        spacing=theme.GAP_S,
    )
    return ft.Container(
        row,
        bgcolor=theme.WARN_SOFT,
        border_radius=12,
        padding=ft.Padding.only(left=theme.GAP),
    )


def _value(item: ConflictItem, name: str, side: str) -> str:
    field = next(field for field in item.fields if field.name == name)
    return review_words.value(name, getattr(field, side)) or formats.NOTHING


def by_field(view: leads.LeadView) -> Mapping[str, ConflictItem]:
    """The difference to show beside each field: an open one before the news of a lost one."""
    found: dict[str, ConflictItem] = {}
    for item in (*view.conflicts, *view.lost):
        if item.kind is conflicts.Kind.VALUES:
            for field in item.fields:
                found.setdefault(field.name, item)
    return found
