"""Somebody is told, once, when changes stop getting their numbers."""

from __future__ import annotations

import logging

import pytest

from backend.deps import Deps
from backend.jobs import feed_watch
from backend.stream import sequencer
from tests import fakes
from tests.serving import MakeUser

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> fakes.FakeClock:
    return fakes.FakeClock()


async def test_a_change_that_waits_too_long_is_told_once_and_again_when_it_went_on(
    deps: Deps, make_user: MakeUser, clock: fakes.FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="backend.jobs.feed_watch")
    watch = feed_watch.Watch()
    await make_user()  # its rows wait for their number

    for _ in range(4):
        await watch.look(deps)
        clock.advance(feed_watch.LATE_SECONDS / 2)
    told = [record.message for record in caplog.records]
    await sequencer.once(deps.pool, deps.hub)
    await watch.look(deps)

    assert told == ["sequencer.late"]
    assert [record.message for record in caplog.records] == ["sequencer.late", "sequencer.goes_on"]


async def test_changes_that_keep_getting_their_numbers_are_no_alarm(
    deps: Deps, make_user: MakeUser, clock: fakes.FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="backend.jobs.feed_watch")
    watch = feed_watch.Watch()

    for _ in range(3):
        await make_user()
        await watch.look(deps)
        clock.advance(feed_watch.LATE_SECONDS)
        await sequencer.once(deps.pool, deps.hub)
        await watch.look(deps)

    assert not caplog.records
