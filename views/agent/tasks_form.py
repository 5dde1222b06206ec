"""A new task, or another wording and time of one that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import flet as ft

from services import tasks
from views import cells, component, context, strings, theme
from views.agent import pick_lead, tasks_due, tasks_row
from views.parts import buttons, cards, chips, formats, text_field, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is typed so far. `id` empty = a new task; `day` None = no date."""

    id: str = ""
    title: str = ""
    text: str = ""
    kind: str = "todo"
    lead_id: str = ""
    lead_name: str = ""
    day: date | None = None
    hour: time = tasks_due.MORNING
    problem: str = ""

    def due_at(self, zone: ZoneInfo) -> datetime | None:
        return None if self.day is None else tasks_due.at(self.day, self.hour, zone)


def draft_of(task: tasks.TaskItem, zone: ZoneInfo) -> Draft:
    """To change a task that is there."""
    due = task.due_at.astimezone(zone) if task.due_at else None
    return Draft(
        id=task.id,
        title=task.title,
        text=task.text,
        kind=task.kind,
        lead_id=task.lead_id,
        lead_name=task.lead_name,
        day=due.date() if due else None,
        hour=due.time().replace(second=0, microsecond=0) if due else tasks_due.MORNING,
    )


def save(service: tasks.Tasks, draft: Draft) -> None:
    """Raises: InputError, NotFoundError; nothing is changed then."""
    due = draft.due_at(service.desk.zone())
    if draft.id:
        service.edit(draft.id, title=draft.title, text=draft.text, due_at=due)
    else:
        service.create(draft.title, lead_id=draft.lead_id, due_at=due, kind=draft.kind, text=draft.text)


@component.component
def task_form(cell: cells.Cell[Draft], draft: Draft, zone: ZoneInfo) -> ft.Control:
    """`draft` is the cell's value, handed in so that a change draws this again."""
    app = context.use_app()
    page = ft.context.page
    picking = cells.use_cell(False)

    def put(**changes: object) -> None:
        cell.change(lambda old: replace(old, problem="", **changes))  # type: ignore[arg-type]

    def other_day() -> None:
        def chosen(event: ft.Event[ft.DatePicker]) -> None:
            if event.control.value is not None:
                put(day=_day(event.control.value))

        page.show_dialog(ft.DatePicker(first_date=app.now(), on_change=chosen))

    rows: list[ft.Control] = [
        text_field.text_field(
            strings.t("agent_work.form.title"),
            draft.title,
            on_change=lambda text: put(title=text),
            problem=draft.problem,
            autofocus=not draft.id,
        )
    ]
    if not draft.id:
        rows += [_kinds(draft, put), _lead(draft, picking, put)]
    rows += [
        _days(draft, app.now(), zone, put, other_day),
        text_field.text_field(
            strings.t("agent_work.form.text"), draft.text, on_change=lambda text: put(text=text), lines=3
        ),
    ]
    return cards.stack(*rows, gap=theme.GAP_XL)


Put = Callable[..., None]


def _day(picked: date) -> date:
    """The picker may answer with a time too."""
    return picked.date() if isinstance(picked, datetime) else picked


def _group(title: str, items: list[ft.Control]) -> ft.Control:
    return cards.stack(
        words.label(title, color=theme.INK_SOFT), cards.line(*items, wrap=True), gap=theme.GAP_S
    )


def _kinds(draft: Draft, put: Put) -> ft.Control:
    def choose(kind: str) -> Callable[[], None]:
        return lambda: put(kind=kind)

    return _group(
        strings.t("agent_work.form.kind"),
        [
            chips.choice(
                tasks_row.kind_word(kind),
                kind == draft.kind,
                choose(kind),
                id=f"kind-{kind}",
                icon=tasks_row.kind_icon(kind),
            )
            for kind in tasks.KINDS
        ],
    )


def _lead(draft: Draft, picking: cells.Cell[bool], put: Put) -> ft.Control:
    def picked(lead_id: str, name: str) -> None:
        picking.set(False)
        put(lead_id=lead_id, lead_name=name)

    title = strings.t("agent_work.form.lead")
    if picking.value:
        return pick_lead.pick_lead(picked)
    if draft.lead_id:
        drop = buttons.quiet(
            strings.t("agent_work.form.no_lead"), lambda: put(lead_id="", lead_name=""), id="drop-lead"
        )
        return _group(title, [chips.chip(draft.lead_name, tone=theme.BRANDED, icon=ft.Icons.PERSON), drop])
    choose = buttons.outlined(
        strings.t("agent_work.form.choose_lead"),
        lambda: picking.set(True),
        icon=ft.Icons.PERSON_ADD_ALT,
        id="choose-lead",
    )
    return _group(title, [choose])


def _days(draft: Draft, now: datetime, zone: ZoneInfo, put: Put, other_day: Callable[[], None]) -> ft.Control:
    def choose(day: date | None) -> Callable[[], None]:
        return lambda: put(day=day)

    def choose_hour(hour: time) -> Callable[[], None]:
        return lambda: put(hour=hour)

    near = tasks_due.days(now, zone)
    items = [chips.choice(strings.t("agent_work.due.none"), draft.day is None, choose(None), id="due-none")]
    items += [
        chips.choice(text, day == draft.day, choose(day), id=f"due-{day.isoformat()}") for day, text in near
    ]
    other = draft.day is not None and draft.day not in {day for day, _ in near}
    text = f"{draft.day:%a %-d %b %Y}" if other else strings.t("agent_work.due.other")
    items.append(chips.choice(text, other, other_day, id="due-other", icon=ft.Icons.CALENDAR_MONTH))
    rows = [_group(strings.t("agent_work.form.day"), items)]
    if draft.day is not None:
        hours = sorted({*(time(hour) for hour in tasks_due.HOURS), draft.hour})
        rows.append(
            _group(
                strings.t("agent_work.form.hour"),
                [
                    chips.choice(
                        f"{hour:%H:%M}", hour == draft.hour, choose_hour(hour), id=f"hour-{hour:%H%M}"
                    )
                    for hour in hours
                ],
            )
        )
        due = draft.due_at(zone)
        rows.append(words.fine(strings.t("agent_work.form.due", when=formats.moment(due, now, zone))))
    return cards.stack(*rows)
