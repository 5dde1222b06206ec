"""What is to be done with a lead, and what was said: tasks, notes and their transcripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import flet as ft

from services import notes, tasks
from views import cells, component, context, routes, strings, theme
from views.parts import buttons, cards, chips, formats, marks, text_field, toasts, words

_WHEN = {
    "hours": timedelta(hours=2),
    "tomorrow": timedelta(days=1),
    "three": timedelta(days=3),
    "week": timedelta(days=7),
}


@component.component
def tasks_part(lead_id: str, found: Sequence[tasks.TaskItem], now: datetime) -> ft.Control:
    """The next steps, and a line to add one."""
    app = context.use_app()
    page = ft.context.page
    service = app.service(tasks.Tasks)
    typed, when = cells.use_cell(""), cells.use_cell("tomorrow")

    def add() -> None:
        service.create(typed.value, lead_id=lead_id, due_at=app.now() + _WHEN[when.value])
        typed.set("")

    def done(task_id: str) -> Callable[[], None]:
        def finish() -> None:
            service.done(task_id)
            toasts.undo(page, strings.t("agent_field.tasks.done"), lambda: service.undo(task_id))

        return finish

    rows: list[ft.Control] = [_task(task, done(task.id), now) for task in found]
    if not rows:
        rows.append(words.soft(strings.t("agent_field.tasks.none")))
    rows.append(_add(typed, when, add))
    return marks.mark(
        "tasks", cards.section(strings.t("agent_field.lead.tasks"), [cards.card(cards.stack(*rows))])
    )


def _task(task: tasks.TaskItem, done: Callable[[], None], now: datetime) -> ft.Control:
    due = strings.t("agent_field.tasks.undated") if task.due_at is None else formats.moment(task.due_at, now)
    late = [chips.chip(strings.t("agent_field.tasks.late"), tone=theme.WARN_TONE)] if task.overdue else []
    sync = [chips.sync_state(task.sync.value)] if task.sync.value != "on_server" else []
    return ft.Row(
        [
            buttons.icon(
                ft.Icons.RADIO_BUTTON_UNCHECKED,
                strings.t("agent_field.tasks.finish", title=task.title),
                done,
                id=f"done-{task.id}",
                color=theme.BRAND,
            ),
            cards.stack(
                words.body(task.title, lines=2),
                ft.Row([words.fine(due), *late, *sync], spacing=6, run_spacing=4, wrap=True),
                gap=2,
                expand=True,
            ),
        ],
        spacing=theme.GAP_S,
        key=task.id,
    )


def _add(typed: cells.Cell[str], when: cells.Cell[str], add: Callable[[], None]) -> ft.Control:
    field = text_field.text_field(
        strings.t("agent_field.tasks.field"), typed.value, on_change=typed.set, on_submit=lambda _: add()
    )
    rows: list[ft.Control] = [field]
    if typed.value.strip():
        chosen = {key: strings.t(f"agent_field.tasks.when.{key}") for key in _WHEN}

        def at(key: str) -> Callable[[], None]:
            return lambda: when.set(key)

        items: list[ft.Control] = [
            chips.choice(text, when.value == key, at(key), id=f"when-{key}") for key, text in chosen.items()
        ]
        rows.append(ft.Row(items, spacing=theme.GAP_S, run_spacing=theme.GAP_S, wrap=True))
        rows.append(
            ft.Row(
                [buttons.secondary(strings.t("agent_field.tasks.add"), add, icon=ft.Icons.ADD, id="add-task")]
            )
        )
    return cards.stack(*rows, gap=theme.GAP_S)


@component.component
def notes_part(lead_id: str, found: Sequence[notes.NoteItem], now: datetime) -> ft.Control:
    """Notes and transcripts, newest first; a touch opens the review."""
    app = context.use_app()

    def opening(note_id: str) -> Callable[[], None]:
        return lambda: app.go(routes.review(note_id))

    rows: list[ft.Control] = [_note(note, opening(note.id), now) for note in found]
    if not rows:
        rows.append(words.soft(strings.t("agent_field.notes.none")))
    dictate = buttons.quiet(
        strings.t("agent_field.lead.dictate"),
        lambda: app.go(routes.voice(lead_id)),
        icon=ft.Icons.MIC_NONE,
        id="dictate-note",
    )
    return marks.mark("notes", cards.section(strings.t("agent_field.lead.notes"), rows, action=dictate))


def _note(note: notes.NoteItem, on_open: Callable[[], None], now: datetime) -> ft.Control:
    said = note.text or note.transcript or strings.t(f"agent_field.notes.{note.state}")
    length = formats.seconds(note.seconds) if note.seconds else ""
    when = formats.moment(note.created_at, now)
    sync = [chips.sync_state(note.whole.value)] if note.whole.value != "on_server" else []
    icon = ft.Icons.MIC_NONE if note.seconds else ft.Icons.NOTES
    body = cards.stack(
        ft.Row(
            [
                ft.Icon(icon, size=18, color=theme.INK_SOFT),
                words.fine(" · ".join(part for part in (when, length) if part), expand=True),
                *sync,
            ],
            spacing=theme.GAP_S,
        ),
        words.body(said, lines=4),
        gap=4,
    )
    return ft.Container(marks.mark(f"note-{note.id}", cards.card(body, on_click=on_open)), key=note.id)
