"""Tasks by when they are due."""

from __future__ import annotations

import pytest

from domain import errors
from services.sync_words import SyncWord
from tests.services.conftest import Bench, in_days


def test_tasks_are_sorted_into_overdue_today_later_and_undated(bench: Bench) -> None:
    lead_id = bench.lead()
    for title, days in (("late", -1), ("today", 0.1), ("tonight", 0.15), ("later", 2)):
        bench.sv.tasks.create(title, lead_id=lead_id, due_at=in_days(bench, days))
    bench.sv.tasks.create("some day")

    found = bench.sv.tasks.lists()

    assert [item.title for item in found.overdue] == ["late"]
    assert [item.title for item in found.today] == ["today", "tonight"]
    assert [item.title for item in found.later] == ["later"]
    assert [item.title for item in found.undated] == ["some day"]
    assert found.overdue[0].lead_name == "Ann Lee"


def test_today_ends_at_the_midnight_of_the_own_office(bench: Bench) -> None:
    bench.sv.tasks.create("in the evening", due_at=in_days(bench, 8 / 24))  # 04:00 UTC = 22:00 in Austin

    assert [item.title for item in bench.sv.tasks.lists().today] == ["in the evening"]


def test_a_task_is_done_undone_and_put_off(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call", due_at=in_days(bench, -1))

    bench.sv.tasks.done(task_id)
    done = bench.sv.tasks.lists()
    bench.sv.tasks.undo(task_id)
    bench.sv.tasks.snooze(task_id, in_days(bench, 3))

    assert [item.id for item in done.done] == [task_id]
    (later,) = bench.sv.tasks.lists().later
    assert (later.id, later.done_at, later.sync) == (task_id, None, SyncWord.ON_PHONE)


def test_what_is_no_task_is_refused_with_a_hint(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call")

    with pytest.raises(errors.InputError, match="Say what is to be done"):
        bench.sv.tasks.create("   ")
    with pytest.raises(errors.InputError, match="kind of task"):
        bench.sv.tasks.create("x", kind="dance")
    with pytest.raises(errors.InputError, match="past"):
        bench.sv.tasks.snooze(task_id, in_days(bench, -1))
    assert len(bench.all("tasks")) == 1


def test_a_task_is_reworded_and_one_for_a_lead_that_is_gone_is_refused(bench: Bench) -> None:
    task_id = bench.sv.tasks.create("Call", kind="call")

    bench.sv.tasks.edit(task_id, title="Call about the roof", text=" at noon ", due_at=in_days(bench, 1))

    (task,) = bench.sv.tasks.lists().later
    assert (task.title, task.text, task.kind) == ("Call about the roof", "at noon", "call")
    with pytest.raises(errors.NotFoundError):
        bench.sv.tasks.create("Call", lead_id="gone")
