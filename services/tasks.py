"""Tasks: what is due, doing it, undoing that, and putting it off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services import sync_words


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
