"""Tasks: what is due, doing it, undoing that, and putting it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from domain import errors, ids, tables, values
from services import sync_words
from services.desk import Desk
from storage import edits, leads, tasks

KINDS = ("todo", "call", "text", "email", "visit", "follow_up")
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItem:
    """A task in a list."""

    id: str
    title: str
    kind: str
    lead_id: str
    lead_name: str
    due_at: datetime | None
    done_at: datetime | None
    text: str
    overdue: bool
    sync: sync_words.SyncWord


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLists:
    """Open tasks by urgency, the earliest first; `today` ends at midnight of the person's own location."""

    overdue: tuple[TaskItem, ...]
    today: tuple[TaskItem, ...]
    later: tuple[TaskItem, ...]
    undated: tuple[TaskItem, ...]
    done: tuple[TaskItem, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """This person's tasks, and those of a lead."""

    desk: Desk

    def lists(self, *, everybody: bool = False, limit: int = 200, done_limit: int = 20) -> TaskLists:
        """What is due when. Executives may ask for everybody's."""
        agent_id = None if everybody else self.desk.user.id
        found = tasks.open_tasks(self.desk.db, agent_id=agent_id, limit=limit + 1)
        items = self.items(found[:limit])
        midnight = self._midnight()
        dated = [(item, item.due_at) for item in items if item.due_at is not None and not item.overdue]
        return TaskLists(
            overdue=tuple(item for item in items if item.overdue),
            today=tuple(item for item, due in dated if due < midnight),
            later=tuple(item for item, due in dated if due >= midnight),
            undated=tuple(item for item in items if item.due_at is None),
            done=self.items(tasks.done(self.desk.db, agent_id=agent_id, limit=done_limit)),
            more=len(found) > limit,
        )

    def of_lead(self, lead_id: str, *, open_only: bool = True) -> tuple[TaskItem, ...]:
        """Open ones first, by date."""
        items = self.items(tasks.of_lead(self.desk.db, lead_id))
        return tuple(item for item in items if item.done_at is None or not open_only)

    def create(
        self,
        title: str,
        *,
        lead_id: str = "",
        due_at: datetime | None = None,
        kind: str = "todo",
        text: str = "",
    ) -> str:
        """A task for this person; its id. Raises: InputError, NotFoundError."""
        with self.desk.action() as edit:
            return add(edit, self.desk, title=title, lead_id=lead_id, due_at=due_at, kind=kind, text=text)

    def done(self, task_id: str) -> None:
        """Raises: NotFoundError."""
        self._patch(task_id, {"done_at": values.time_text(self.desk.now())})

    def undo(self, task_id: str) -> None:
        """Open again. Raises: NotFoundError."""
        self._patch(task_id, {"done_at": None})

    def snooze(self, task_id: str, until: datetime) -> None:
        """Raises: InputError for a time that is past, NotFoundError."""
        if until <= self.desk.now():
            raise errors.InputError("This time is past.", where="tasks.due_at", hint="Choose a time to come.")
        self._patch(task_id, {"due_at": values.time_text(until)})

    def edit(self, task_id: str, *, title: str, text: str = "", due_at: datetime | None = None) -> None:
        """Raises: InputError, NotFoundError."""
        due = None if due_at is None else values.time_text(due_at)
        self._patch(task_id, {"title": _title(title), "text": text.strip() or None, "due_at": due})

    def items(self, found: Sequence[tasks.Task]) -> tuple[TaskItem, ...]:
        """Stored tasks as lists show them."""
        names = leads.names(self.desk.db, [task.lead_id for task in found])
        words, now = self.desk.words("tasks"), self.desk.now()
        return tuple(_item(task, names, words, now) for task in found)

    def _patch(self, task_id: str, changes: dict[str, str | None]) -> None:
        with self.desk.action() as edit:
            edit.patch(tables.TASKS.name, task_id, changes)

    def _midnight(self) -> datetime:
        zone = self.desk.zone()
        tomorrow = self.desk.now().astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), zone)


def add(
    edit: edits.Edit,
    desk: Desk,
    *,
    title: str,
    lead_id: str = "",
    due_at: datetime | None = None,
    kind: str = "todo",
    text: str = "",
) -> str:
    """A task inside another action; its id. Raises: InputError, NotFoundError."""
    if kind not in KINDS:
        raise errors.InputError(
            f"{kind!r:.40} is no kind of task.",
            where="tasks.kind",
            hint=f"Choose one of: {', '.join(KINDS)}.",
        )
    task_id = ids.new_id(edit.edit_ms)
    edit.put(
        tables.TASKS.name,
        task_id,
        {
            "location_id": _location(edit, desk, lead_id),
            "lead_id": lead_id or None,
            "agent_id": desk.user.id,
            "title": _title(title),
            "kind": kind,
            "due_at": None if due_at is None else values.time_text(due_at),
            "text": text.strip() or None,
        },
    )
    return task_id


def _location(edit: edits.Edit, desk: Desk, lead_id: str) -> str:
    if not lead_id:
        return desk.home_location()
    lead = leads.get(edit.tx, lead_id)
    if lead is None:
        raise errors.NotFoundError("This lead is not on this device (any more).", where=f"leads {lead_id}")
    return lead.location_id


def _title(title: str) -> str:
    text = " ".join(title.split())[:300]
    if not text:
        raise errors.InputError("The task has no words.", where="tasks.title", hint="Say what is to be done.")
    return text


def _item(task: tasks.Task, names: dict[str, str], words: sync_words.Words, now: datetime) -> TaskItem:
    return TaskItem(
        id=task.id,
        title=task.title,
        kind=task.kind,
        lead_id=task.lead_id or "",
        lead_name=names.get(task.lead_id or "", ""),
        due_at=task.due_at,
        done_at=task.done_at,
        text=task.text or "",
        overdue=task.done_at is None and task.due_at is not None and task.due_at < now,
        sync=words(task.id),
    )
