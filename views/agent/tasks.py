"""Tasks by urgency: overdue, today, later, without a date, done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import flet as ft

from domain import errors
from services import tasks
from views import cells, component, context, live, routes, shell, strings, theme
from views.agent import tasks_form, tasks_row
from views.parts import buttons, cards, chips, empty_state, error_card, words

_NOBODY: tasks_form.Draft | None = None


@component.screen
def tasks_screen() -> ft.View:
    app = context.use_app()
    service = app.service(tasks.Tasks)
    zone = service.desk.zone()
    everybody = cells.use_cell(False)
    open_form = cells.use_cell(_NOBODY)
    live.use_tick(30)
    lists = live.use_live(
        lambda: service.lists(everybody=everybody.value), everybody.value, tables=("tasks", "leads", "outbox")
    )

    def edit(task_id: str) -> None:
        found = next((task for task in _all(lists) if task.id == task_id), None)
        if found is not None:
            open_form.set(tasks_form.draft_of(found, zone))

    draft = open_form.value
    if draft is not None:
        return _form(open_form, draft, service, zone)
    rows: list[ft.Control] = []
    if app.user.is_executive:
        rows.append(_whose(everybody))
    rows += _sections(lists, zone, edit) or [_nothing()]
    add = buttons.primary(
        strings.t("agent_work.tasks.add"),
        lambda: open_form.set(tasks_form.Draft()),
        icon=ft.Icons.ADD,
        id="add-task",
    )
    body = cards.page(*rows, gap=theme.GAP_XL)
    return shell.frame(strings.t("agent_work.tasks.title"), body, tab=routes.Screen.TASKS, bottom=add)


def _form(
    cell: cells.Cell[tasks_form.Draft | None],
    draft: tasks_form.Draft,
    service: tasks.Tasks,
    zone: ZoneInfo,
) -> ft.View:
    """In place of the list, so that nothing is typed below a keyboard's edge."""

    def keep() -> None:
        typed = cell.value
        if typed is None:
            return
        try:
            tasks_form.save(service, typed)
        except errors.InputError as fault:
            cell.set(replace(typed, problem=" ".join(error_card.explain(fault))))
        else:
            cell.set(None)

    bottom = cards.line(
        buttons.outlined(strings.t("kit.cancel"), lambda: cell.set(None), id="task-cancel"),
        buttons.primary(strings.t("agent_work.form.save"), keep, id="task-save", expand=True),
        gap=theme.GAP,
    )
    title = strings.t("agent_work.form.edit" if draft.id else "agent_work.form.new")
    form = tasks_form.task_form(cell, draft, zone)
    return shell.frame(title, cards.page(form), tab=routes.Screen.TASKS, bottom=bottom)


def _all(lists: tasks.TaskLists) -> tuple[tasks.TaskItem, ...]:
    return (*lists.overdue, *lists.today, *lists.later, *lists.undated, *lists.done)


def _sections(lists: tasks.TaskLists, zone: ZoneInfo, on_edit: Callable[[str], None]) -> list[ft.Control]:
    found = []
    for name in ("overdue", "today", "later", "undated", "done"):
        items: tuple[tasks.TaskItem, ...] = getattr(lists, name)
        if items:
            found.append(_section(name, items, zone, on_edit))
    if lists.more:
        found.append(words.soft(strings.t("agent_work.tasks.more")))
    return found


def _section(
    name: str, items: tuple[tasks.TaskItem, ...], zone: ZoneInfo, on_edit: Callable[[str], None]
) -> ft.Control:
    tone = theme.BAD_TONE if name == "overdue" else theme.PLAIN
    return cards.section(
        strings.t(f"agent_work.tasks.{name}"),
        [tasks_row.task_row(item, zone, on_edit, key=item.id) for item in items],
        action=chips.chip(str(len(items)), tone=tone),
        gap=theme.GAP_S,
    )


def _whose(everybody: cells.Cell[bool]) -> ft.Control:
    return chips.segments(
        {"mine": strings.t("agent_work.tasks.mine"), "all": strings.t("agent_work.tasks.everybody")},
        "all" if everybody.value else "mine",
        lambda value: everybody.set(value == "all"),
        id="whose-tasks",
    )


def _nothing() -> ft.Control:
    return empty_state.empty_state(
        ft.Icons.DONE_ALL,
        strings.t("agent_work.tasks.none.title"),
        strings.t("agent_work.tasks.none.text"),
    )
