"""The 3-7-30 follow-up on the lead's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain import contact, errors, followup

SEATTLE = contact.Place(state="WA", zip="98101")
PACIFIC = ZoneInfo("America/Los_Angeles")
START = datetime(2026, 10, 27, 14, 30, tzinfo=PACIFIC).astimezone(UTC)
RUN = followup.Run(started_at=START)


def local(due: followup.Due) -> str:
    return f"{due.at.astimezone(PACIFIC):%Y-%m-%d %H:%M}"


def test_steps_are_due_now_and_on_days_3_7_and_30_across_the_change_of_clocks() -> None:
    assert [local(due) for due in RUN.plan(SEATTLE)] == [
        "2026-10-27 14:30",
        "2026-10-30 14:30",
        "2026-11-03 14:30",
        "2026-11-26 14:30",
    ]


def test_a_step_outside_the_window_rolls_forward() -> None:
    late = followup.Run(started_at=datetime(2026, 11, 24, 22, 15, tzinfo=PACIFIC))

    assert [local(due) for due in late.plan(SEATTLE)][:2] == ["2026-11-25 09:00", "2026-11-28 09:00"]


def test_a_state_without_sunday_calls_moves_the_step_to_monday() -> None:
    alabama = contact.Place(state="AL")
    run = followup.Run(started_at=datetime(2026, 11, 19, 16, tzinfo=UTC))  # a Thursday: day 3 is Sunday

    assert run.plan(alabama)[1].at == datetime(2026, 11, 23, 15, tzinfo=UTC)


def test_contact_pauses_and_the_rest_moves_by_the_pause() -> None:
    paused = RUN.step_done().contacted(START + timedelta(days=1))

    resumed = paused.resumed(START + timedelta(days=3))

    assert (paused.state, paused.plan(SEATTLE), paused.next_due(SEATTLE)) == ("paused", (), None)
    assert local(resumed.plan(SEATTLE)[0]) == "2026-11-01 14:30"


def test_an_opt_out_ends_it_for_good() -> None:
    ended = RUN.opted_out(START)

    assert (ended.state, ended.end_reason, ended.plan(SEATTLE)) == ("ended", "opted out", ())
    assert ended.resumed(START) is ended
    assert ended.contacted(START) is ended
    assert ended.opted_out(START + timedelta(days=1)) is ended


def test_a_run_that_does_its_steps_is_finished() -> None:
    run = RUN
    for _ in range(4):
        run = run.step_done()

    assert run.state == "finished"
    with pytest.raises(errors.RuleError, match="finished"):
        run.step_done()


def test_editing_the_sequence_never_moves_a_run() -> None:
    edited = followup.Sequence(version="5-9", steps=followup.DEFAULT.steps[:1])

    assert len(RUN.plan(SEATTLE)) == 4
    assert len(followup.Run(started_at=START, sequence=edited).plan(SEATTLE)) == 1


@pytest.mark.parametrize(("answer", "outcome"), [(True, "agent"), (False, "nurture"), (None, "archive")])
def test_after_day_30(answer: bool | None, outcome: str) -> None:
    assert followup.after_last(answer) == outcome
