"""One task in a list: done by a touch, put off, opened or changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import flet as ft

from services import tasks
from views import component, context, routes, strings, theme
from views.agent import tasks_due
from views.parts import buttons, cards, chips, dialogs, formats, toasts, words

_ICONS = {
    "todo": ft.Icons.CHECK,
    "call": ft.Icons.CALL_OUTLINED,
    "text": ft.Icons.SMS_OUTLINED,
    "email": ft.Icons.MAIL_OUTLINE,
    "visit": ft.Icons.DIRECTIONS_CAR_OUTLINED,
    "follow_up": ft.Icons.REPLY,
}


def kind_icon(kind: str) -> ft.IconData:
    return _ICONS.get(kind, ft.Icons.CHECK)


def kind_word(kind: str) -> str:
    return strings.t(f"agent_work.kind.{kind}")


@component.component
def task_row(
    task: tasks.TaskItem, zone: ZoneInfo, on_edit: Callable[[str], None], key: str = ""
) -> ft.Control:
    del key
    app = context.use_app()
    page = ft.context.page
    service = app.service(tasks.Tasks)

    def done() -> None:
        service.done(task.id)
        toasts.undo(page, strings.t("agent_work.tasks.done", title=task.title), lambda: service.undo(task.id))

    def again() -> None:
        service.undo(task.id)

    def snooze() -> None:
        _ask_when(page, service, task, app.now(), zone)

    def open_it() -> None:
        if task.lead_id:
            app.go(routes.lead(task.lead_id, under=routes.TASKS))
        else:
            on_edit(task.id)

    is_done = task.done_at is not None
    tick = buttons.icon(
        ft.Icons.CHECK_CIRCLE if is_done else ft.Icons.RADIO_BUTTON_UNCHECKED,
        strings.t("agent_work.tasks.reopen" if is_done else "agent_work.tasks.finish", title=task.title),
        again if is_done else done,
        id=f"done-{task.id}",
        color=theme.GOOD if is_done else theme.BRAND,
    )
    row: list[ft.Control] = [tick, _middle(task, app.now(), zone, open_it)]
    if not is_done:
        row += _actions(task, snooze, lambda: on_edit(task.id))
    return cards.card(
        ft.Row(row, spacing=0, vertical_alignment=ft.CrossAxisAlignment.CENTER), padding=theme.GAP_S
    )


def _actions(task: tasks.TaskItem, snooze: Callable[[], None], edit: Callable[[], None]) -> list[ft.Control]:
    later = strings.t("agent_work.tasks.snooze", title=task.title)
    change = strings.t("agent_work.tasks.edit", title=task.title)
    return [
        buttons.icon(ft.Icons.SNOOZE, later, snooze, id=f"snooze-{task.id}", color=theme.INK_SOFT),
        buttons.icon(ft.Icons.EDIT_OUTLINED, change, edit, id=f"edit-{task.id}", color=theme.INK_SOFT),
    ]


def _middle(task: tasks.TaskItem, now: datetime, zone: ZoneInfo, on_open: Callable[[], None]) -> ft.Control:
    is_done = task.done_at is not None
    title = words.body(task.title, color=theme.INK_SOFT if is_done else theme.INK, lines=2)
    title.weight = ft.FontWeight.W_600
    foot: list[ft.Control] = [
        ft.Icon(kind_icon(task.kind), size=16, color=theme.INK_SOFT),
        words.fine(_when(task, now, zone), color=theme.BAD if task.overdue else theme.INK_SOFT),
    ]
    if task.sync != "on_server":
        foot.append(chips.sync_state(task.sync))
    if task.lead_id and not task.lead_name:
        foot.append(chips.chip(strings.t("sync.gone.lead"), tone=theme.WARN_TONE, icon=ft.Icons.PERSON_OFF))
    lines: list[ft.Control] = [title, cards.line(*foot, gap=6, wrap=True)]
    if task.lead_name and task.lead_name not in task.title:
        lines.insert(1, words.soft(task.lead_name, lines=1))
    body = ft.Container(
        cards.stack(*lines, gap=2),
        padding=ft.Padding.symmetric(horizontal=4, vertical=4),
        ink=True,
        border_radius=10,
        on_click=on_open,
    )
    return ft.Semantics(
        identifier=f"task-{task.id}",
        button=True,
        container=True,
        label=f"{task.title}, {_when(task, now, zone)}",
        content=body,
        expand=True,
    )


def _when(task: tasks.TaskItem, now: datetime, zone: ZoneInfo) -> str:
    if task.done_at is not None:
        return strings.t("agent_work.tasks.done_at", when=formats.moment(task.done_at, now, zone))
    if task.due_at is None:
        return kind_word(task.kind)
    when = formats.moment(task.due_at, now, zone)
    return f"{when} · {formats.left(task.due_at, now)}" if task.overdue else when


def _ask_when(
    page: ft.Page, service: tasks.Tasks, task: tasks.TaskItem, now: datetime, zone: ZoneInfo
) -> None:
    def put_off(choice: tasks_due.Choice) -> Callable[[], None]:
        def act() -> None:
            page.pop_dialog()
            service.snooze(task.id, choice.at)
            toasts.show(
                page, strings.t("agent_work.tasks.snoozed", when=formats.moment(choice.at, now, zone))
            )

        return act

    rows = [
        dialogs.menu_row(
            ft.Icons.SNOOZE,
            choice.text,
            put_off(choice),
            id=f"snooze-{choice.id}",
            note=formats.moment(choice.at, now, zone),
        )
        for choice in tasks_due.snoozes(now, zone)
    ]
    dialogs.sheet(page, strings.t("agent_work.tasks.snooze_title"), rows)
