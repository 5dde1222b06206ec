"""A page and an answer about one row that cross on the way; which rows a page is about is only worked out where that can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.clock import SystemClock
from domain import ids, wire
from storage import database
from sync import compare, effects, lanes, steps
from tests.storage.conftest import LOCATION
from tests.storage.test_pulled import apply, block, name_of, page

ROWS = {("leads", "a"), ("leads", "b"), ("tasks", "c"), ("notes", "d")}
PAGE = wire.Page(
    cursor="d",
    more=False,
    blocks=[wire.Block(table="leads", columns=("id", "ver"), rows=[["a", 1], ["b", 1]])],
    changes=(wire.Change(table="tasks", id="c", from_ver=1, ver=2, values={}),),
    removed=[("notes", "d")],
    server_ms=1,
)


def test_while_nothing_is_sent_nobody_asks_what_a_page_is_about() -> None:
    assert steps.Crossing().about(PAGE) == set()


@pytest.mark.parametrize(
    "crossing", [steps.Crossing(sending=True), steps.Crossing(answered={("leads", "z")})]
)
def test_a_batch_under_way_or_answered_is_held_against_all_of_a_page(crossing: steps.Crossing) -> None:
    assert crossing.about(PAGE) == ROWS


def test_a_batch_is_under_way_from_before_it_is_taken_until_none_waits() -> None:
    pace = lanes.Pace()
    pace.crossing.paged.add(("leads", "before"))
    lane = lanes.up(pace)
    one = wire.Mutation(
        mid=1, group="", table="leads", row_id="a", op=wire.Op.PATCH, patch={}, base_ver=1, base={},
        edit_ms=1, seen_server_ms=1,
    )  # fmt: skip
    batch = steps.Batch(push=wire.Push(device_id="d", epoch="e", mutations=[one]))

    assert isinstance(next(lane), steps.TakeBatch)
    assert (pace.crossing.sending, pace.crossing.paged) == (True, set())
    assert lane.send(batch) is batch.push
    assert pace.crossing.sending
    assert isinstance(lane.send(wire.PushAnswer(results=(), server_ms=1, incarnation="i")), steps.KeepAnswer)
    assert isinstance(lane.send(steps.Sent(safe=1)), steps.TakeBatch)
    with pytest.raises(StopIteration):
        lane.send(None)
    assert not pace.crossing.sending


def test_a_page_that_was_asked_for_before_an_answer_about_its_row_came_is_asked_for_again(
    tmp_path: Path,
) -> None:
    lead = ids.new_id()
    store = database.open_store(tmp_path / "store.db")
    apply(store, page(block((lead, 4, {"name": "Answered"}))))
    older = page(block((lead, 5, {"name": "Older"})), cursor="d", scopes=None)
    device = effects.Device(db=store, clock=SystemClock())
    ask = wire.PullAsk(cursor="c")

    crossed = steps.Crossing(answered={("leads", lead)})
    assert steps.KeepPage(ask=ask, page=older, crossing=crossed).run(device) == steps.Kept(rows=0, more=True)
    assert name_of(store, lead) == "Answered"

    assert steps.KeepPage(ask=ask, page=older).run(device).rows == 1
    assert name_of(store, lead) == "Older"
    store.close()


@pytest.mark.parametrize(("said", "kept"), [("i", False), ("another", True)])
def test_what_a_database_of_another_life_does_not_list_is_no_reason_to_drop_it(
    tmp_path: Path, said: str, kept: bool
) -> None:
    lead = ids.new_id()
    store = database.open_store(tmp_path / "store.db")
    apply(store, page(block((lead, 4, {"name": "Ann"}))))
    rows = wire.RangeRows(block=block(), incarnation=said)
    ask = wire.RowsAsk(scope=LOCATION, table="leads", ranges=range(256))
    due = compare.Due(content=True, older=True)
    since = compare.Ranges(scope=LOCATION, table="leads", said=wire.Digests(), content=True).look(store).since

    step = compare.Repair(ask=ask, found=rows, due=due, since=since)
    done = step.run(effects.Device(db=store, clock=SystemClock()))

    assert (done, store.value("SELECT count(*) FROM leads")) == ((None, 1) if kept else (1, 0))
    store.close()
