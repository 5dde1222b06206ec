"""Tasks on the screen: by urgency, done and undone, put off, added and changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import flet as ft
import pytest

from domain import tables
from services.user import Role
from storage import rows
from storage import tasks as stored
from tests.services.conftest import AGENT, Bench, in_days
from tests.views.agent import field

pytestmark = pytest.mark.anyio


def titles(bench: Bench) -> list[str]:
    return [task.title for task in stored.open_tasks(bench.db, agent_id=AGENT, limit=9)]


async def test_tasks_stand_by_urgency_under_their_headings(bench: Bench) -> None:
    make = bench.sv.tasks.create
    make("Late", due_at=in_days(bench, -1))
    make("Soon", due_at=bench.clock.now() + timedelta(hours=1))
    make("Then", due_at=in_days(bench, 5))
    make("Whenever")

    async with field.opened(bench, "/tasks") as phone:
        words = ("Overdue", "Late", "Today", "Soon", "Later", "Then", "Any time", "Whenever")
        shown = [text for text in phone.texts() if text in words]
        assert list(dict.fromkeys(shown)) == [*words]


async def test_a_task_is_done_by_a_touch_and_open_again_by_undo(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call Ann")
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap(f"done-{task_id}")
        assert titles(bench) == []
        assert phone.sees("Done: Call Ann")

        bench.sv.tasks.undo(task_id)
        await phone.settle()

        assert phone.sees("Any time")


async def test_a_task_is_put_off_until_tomorrow(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call Ann", due_at=in_days(bench, -1))
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap(f"snooze-{task_id}")
        await phone.tap("snooze-tomorrow")

        assert phone.sees("Put off until tomorrow 09:00")
        assert not phone.sees("Overdue")


async def test_a_task_is_added_with_lead_kind_and_time(bench: Bench) -> None:
    lead_id = bench.lead(name="Rosa Diaz")
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap("add-task")
        await phone.type("What is to be done?", "Bring comps")
        await phone.tap("kind-visit")
        await phone.tap("choose-lead")
        await phone.tap(f"pick-{lead_id}")
        await phone.tap("Tomorrow")
        await phone.tap("hour-1000")
        await phone.tap("task-save")

        assert phone.sees("tomorrow 10:00")
    (task,) = stored.open_tasks(bench.db, agent_id=AGENT, limit=9)
    assert (task.title, task.kind, task.lead_id) == ("Bring comps", "visit", lead_id)


async def test_a_task_without_words_is_refused_and_the_rest_stays_typed(bench: Bench) -> None:
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap("add-task")
        await phone.type("Details", "the blue folder")
        await phone.tap("task-save")

        title = phone.find("What is to be done?", ft.TextField)[-1]
        assert isinstance(title, ft.TextField)
        assert "The task has no words." in str(title.error)
        assert phone.sees("the blue folder")


async def test_a_task_is_changed(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call Ann", due_at=in_days(bench, 2))
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap(f"edit-{task_id}")
        await phone.type("What is to be done?", "Call Ann Lee")
        await phone.tap("due-none")
        await phone.tap("task-save")

        assert titles(bench) == ["Call Ann Lee"]
        assert phone.sees("Any time")


async def test_a_task_of_a_lead_opens_the_lead(bench: Bench) -> None:
    lead_id = bench.lead()
    task_id = bench.sv.tasks.create("Call", lead_id=lead_id)
    async with field.opened(bench, "/tasks") as phone:
        await phone.tap(f"task-{task_id}")

        assert phone.route == f"/tasks/lead/{lead_id}"


async def test_a_manager_may_look_at_everybodys_tasks(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Role.MANAGER)
    bench.server(
        "tasks", "00000000-0000-7000-8000-0000000000c1", {"title": "Kim's", "agent_id": AGENT, "kind": "todo"}
    )
    async with field.opened(bench, "/tasks") as phone:
        assert not phone.sees("Kim's")
        await phone.tap("Everybody's")

        assert phone.sees("Kim's")


async def test_no_tasks_say_so(bench: Bench) -> None:
    async with field.opened(bench, "/tasks") as phone:
        assert phone.sees("Nothing to do")


async def test_a_task_of_a_lead_that_is_gone_says_so(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.sv.tasks.create("Call Ann", lead_id=lead_id)
    with bench.db.write_tx() as tx:
        rows.remove(tx, tables.LEADS, lead_id)
    async with field.opened(bench, "/tasks") as phone:
        assert phone.sees("Lead not here any more")
