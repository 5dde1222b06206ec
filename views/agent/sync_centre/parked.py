"""What the server refused: its reason, what is at stake, and the ways out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import sync_centre
from services.sync_centre import ParkedChange, ParkedItem
from views import component, context, files, routes, strings
from views.agent import change_words, fix
from views.parts import buttons, cards, chips, dialogs, formats, toasts, words

_SHOWN = 5


def _t(key: str, **values: object) -> str:
    return strings.t(f"sync.parked.{key}", **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What a person may do about one item."""

    app: context.AppContext
    page: ft.Page
    item: ParkedItem

    @property
    def zone(self) -> ZoneInfo:
        return self.service.desk.zone()

    @property
    def service(self) -> sync_centre.SyncCentre:
        return self.app.service(sync_centre.SyncCentre)

    def correct(self) -> None:
        """At the lead, where the value lives; else on a page of its own."""
        item = self.item
        at_lead = item.table == "leads" and item.lead_name
        self.app.go(routes.lead(item.row_id) if at_lead else routes.fix(item.group))

    def retry(self) -> None:
        self.service.retry(self.item.group)
        toasts.show(self.page, _t("again"))

    def restore(self) -> None:
        self.service.restore(self.item.group)
        toasts.show(self.page, _t("restored"))

    async def export(self) -> None:
        name, content = self.service.export_one(self.item.group)
        where = await files.hand_out(self.page, name, content)
        toasts.show(self.page, strings.t("sync.export.done", where=where or name))

    def discard(self) -> None:
        """What is lost is said before; ten seconds to take it back after."""

        def gone() -> None:
            undo = self.service.discard(self.item.group)
            toasts.undo(self.page, _t("gone"), undo)

        dialogs.confirm(
            self.page,
            _t("discard.title"),
            _t(
                "discard.whole" if self.item.entries else "discard.text",
                lost=at_stake(self.item, self.app.now(), self.zone),
            ),
            yes=_t("discard"),
            on_yes=gone,
            dangerous=True,
        )


def at_stake(item: ParkedItem, now: datetime, zone: ZoneInfo) -> str:
    """What would be lost, by field and value; the title where nothing can be named."""
    changed = [(change.name, change.mine) for change in item.changes]
    return " · ".join(change_words.pairs(changed, now, zone, most=_SHOWN)) or item.title


@component.component
def parked_card(item: ParkedItem, key: str = "") -> ft.Control:
    del key
    app = context.use_app()
    ways = Ways(app=app, page=ft.context.page, item=item)
    told = [change for change in item.changes if change_words.is_told(change.name, change.mine)]
    rows: list[ft.Control] = [
        ft.Row(
            [_title(item), chips.sync_state("needs_you")],
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        fix.reason(item),
        *[_change(change, app.now(), ways.zone) for change in told[:_SHOWN]],
        words.fine(formats.ago(item.made_at, app.now())),
        cards.line(*_buttons(ways), wrap=True),
    ]
    return ft.Semantics(
        identifier=f"parked-{item.group}", container=True, content=cards.card(cards.stack(*rows, gap=10))
    )


def _title(item: ParkedItem) -> ft.Control:
    title = words.name(item.title)
    title.max_lines = 3
    lines: list[ft.Control] = [title]
    if item.lead_name and item.lead_name not in item.title:
        lines.append(words.soft(item.lead_name, lines=1))
    return cards.stack(*lines, gap=0, expand=True)


def _change(change: ParkedChange, now: datetime, zone: ZoneInfo) -> ft.Control:
    """Mine strong, the server's beside it."""
    server = change_words.value(change.name, change.server, now, zone) or _t("nothing")
    return cards.stack(
        words.body(change_words.pair(change.name, change.mine, now, zone), lines=2),
        words.fine(f"{_t('server')}: {server}", lines=1),
        gap=0,
    )


def _buttons(ways: Ways) -> list[ft.Control]:
    item = ways.item
    found: list[ft.Control] = []
    if item.restorable:
        found.append(_main("restore", ways.restore, ft.Icons.RESTORE, item))
    if item.correctable:
        found.append(_main("correct", ways.correct, ft.Icons.EDIT_OUTLINED, item))
    if not item.blocked and not item.restorable:
        rank = buttons.outlined if item.correctable else buttons.secondary
        found.append(rank(_t("retry"), ways.retry, icon=ft.Icons.REFRESH, id=f"retry-{item.group}"))
    if item.lead_name and not item.correctable:
        found.append(
            buttons.outlined(
                _t("open_lead"),
                lambda: ways.app.go(routes.lead(item.lead_id)),
                id=f"open-{item.group}",
            )
        )
    found += [
        buttons.quiet(_t("export"), ways.export, icon=ft.Icons.DOWNLOAD, id=f"export-{item.group}"),
        buttons.quiet(_t("discard"), ways.discard, icon=ft.Icons.DELETE_OUTLINE, id=f"discard-{item.group}"),
    ]
    return found


def _main(word: str, act: Callable[[], None], icon: ft.IconData, item: ParkedItem) -> ft.Control:
    return buttons.secondary(_t(word), act, icon=icon, id=f"{word}-{item.group}")
