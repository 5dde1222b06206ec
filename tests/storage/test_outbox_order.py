"""What is sent after what: whatever is parked, answered and sent again, older values never overtake newer ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import tables, wire
from storage import database, outbox, outbox_writes, pushed, rebase, scopes
from storage.outbox import State
from tests.storage.conftest import lead
from tests.storage.queue import ROWS, Judge, Queue, builds_on, made


@pytest.fixture
def queue(store: database.Database) -> Queue:
    return Queue(store)


def refusing(*numbers: int, code: str = "forbidden") -> Judge:
    def judge(group: Sequence[wire.Mutation]) -> str:
        return code if any(one.edit_ms in numbers for one in group) else ""

    return judge


def test_what_builds_on_a_parked_change_waits_and_follows_it(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.send(refusing(1))
    queue.add((0, "name"))
    queue.add((0, "phone"))
    assert queue.parked == {1: "forbidden", 2: outbox.BLOCKED}
    queue.again(1)

    assert queue.send() == [3, 1, 2]


@pytest.mark.parametrize(("first", "second"), [("put", "name"), ("delete", "put"), ("name", "delete")])
def test_what_makes_or_deletes_a_row_keeps_its_place_among_all_changes_of_it(
    queue: Queue, first: str, second: str
) -> None:
    queue.add((0, first))
    queue.send(refusing(1))
    queue.add((0, second))
    queue.add((1, second))
    assert queue.parked == {1: "forbidden", 2: outbox.BLOCKED}
    queue.again(1)

    assert queue.send() == [3, 1, 2]


def test_a_newer_change_of_the_field_never_goes_before_an_older_one_that_waits(queue: Queue) -> None:
    """1 and 2 share a row's name, 2 and 3 its phone: 3 builds on 2 alone, which a person sends again too early."""
    queue.add((0, "name"))
    queue.add((0, "name"), (0, "phone"))
    queue.add((0, "phone"))
    queue.send(refusing(1))
    queue.again(2, 3)
    assert queue.parked == {1: "forbidden", 2: outbox.BLOCKED, 3: outbox.BLOCKED, 4: outbox.BLOCKED}
    queue.again(1)

    assert queue.send() == [1, 2, 3, 4]


def test_an_unsent_change_that_builds_on_one_sent_again_takes_a_number_behind_it(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.send(refusing(1))
    gone = queue.drop(1)
    queue.add((0, "name"))
    queue.add((1, "name"))
    queue.put_back(gone)
    queue.again(1)

    assert queue.order == [3, 1, 2]
    assert queue.send() == [3, 1, 2]


def test_what_waits_for_something_else_too_stays_behind_what_it_builds_on(queue: Queue) -> None:
    """Two actions end with the same field, each begins with a row that is refused; the first refusal is discarded."""
    queue.add((0, "phone"), (1, "name"))
    queue.add((2, "phone"), (1, "name"))
    queue.add((1, "name"))
    sent = queue.take()
    results = [
        wire.Result(mid=one.mid, status=wire.Status.PARKED, code="forbidden")
        if one.edit_ms in (1, 3)
        else wire.Result(mid=one.mid, status=wire.Status.RETRY)
        for one in sent
    ]
    with queue.store.write_tx() as tx:
        said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
        pushed.apply(tx, sent, said, now_ms=1)
    queue.drop(1)

    assert queue.order == [2, 3, 4, 5]
    assert queue.send() == [2]
    queue.drop(3)
    assert queue.send() == [4, 5]


def test_one_that_is_on_its_way_keeps_its_number_and_the_older_one_waits_for_its_answer(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.send(refusing(1))
    gone = queue.drop(1)
    queue.add((0, "name"))
    (sent,) = queue.take()
    queue.put_back(gone)
    queue.again(1)
    assert [(line.mid, line.state) for line in queue.lines([2])] == [(sent.mid, State.INFLIGHT)]
    assert queue.parked == {1: outbox.BLOCKED}
    queue.answer()

    assert queue.parked == {}
    assert queue.send() == [1]


def test_one_that_the_server_may_know_keeps_its_number_until_it_is_answered(queue: Queue) -> None:
    """The newer one was confirmed by a server that was set back since: it goes up once more, as it was."""
    queue.add((0, "name"))
    queue.send(refusing(1))
    gone = queue.drop(1)
    queue.add((0, "name"))
    queue.send()
    queue.put_back(gone)
    with queue.store.write_tx() as tx:
        scopes.meet_again(tx)
    (before,) = queue.lines([2])
    queue.again(1)

    assert queue.parked == {1: outbox.BLOCKED}
    assert [one.mid for one in queue.take()] == [before.mid]
    queue.answer()
    assert queue.send() == [1]


def test_an_action_waits_and_goes_whole(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.send(refusing(1))
    queue.add((1, "name"), (0, "name"), (2, "phone"))
    queue.add((2, "phone"))
    queue.add((2, "area"))
    assert queue.parked == {1: "forbidden", **dict.fromkeys((2, 3, 4, 5), outbox.BLOCKED)}
    queue.again(1)

    assert queue.send() == [6, 1, 2, 3, 4, 5]


def test_one_change_of_a_refused_action_takes_the_others_along(queue: Queue) -> None:
    queue.add((0, "name"), (1, "name"))
    queue.send(refusing(2))
    assert queue.parked == {1: "group", 2: "forbidden"}
    queue.again(2)

    assert queue.send() == [1, 2]


def test_an_opt_out_waits_for_nothing_but_its_own_row(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.send(refusing(1))
    queue.add((1, "opted_out"), (0, "name"), urgent=True)

    assert queue.send() == [2]
    assert queue.parked == {1: "forbidden", 3: outbox.BLOCKED}


def test_who_waits_for_one_that_is_given_up_goes_by_itself(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.add((0, "name"), (1, "name"))
    queue.add((1, "name"))
    queue.send(refusing(1))
    queue.drop(1)

    assert queue.send() == [2, 3, 4]


def test_what_the_server_calls_dependent_of_something_unknown_here_waits_for_a_person(queue: Queue) -> None:
    """Sent again by itself it would be refused again, and again."""
    queue.add((0, "name"))
    queue.send(refusing(1, code="depends"))
    assert queue.parked == {1: outbox.ORPHANED}
    assert queue.send() == []
    queue.again(1)

    assert queue.send() == [1]


def test_what_must_go_again_is_no_refusal(queue: Queue) -> None:
    """The first is refused, the second must be sent again: it waits, and has no new number."""
    queue.add((0, "name"))
    queue.add((0, "name"))
    before = queue.take()[1].mid
    results = [
        wire.Result(mid=1, status=wire.Status.PARKED, code="forbidden"),
        wire.Result(mid=2, status=wire.Status.RETRY),
    ]
    with queue.store.write_tx() as tx:
        said = wire.PushAnswer(results=results, server_ms=1, incarnation="i")
        pushed.apply(tx, queue.under_way, said, now_ms=1)

    assert [line.mid for line in queue.lines([2])] == [before]
    assert queue.parked == {1: "forbidden", 2: outbox.BLOCKED}


# The whole of it: any order of events

change = st.tuples(st.integers(0, 2), st.sampled_from(["name", "name", "phone", "area", "put", "delete"]))
event = st.one_of(
    st.tuples(st.just("add"), st.lists(change, min_size=1, max_size=3)),
    st.tuples(st.just("take"), st.integers(1, 4)),
    st.tuples(st.just("answer"), st.lists(st.sampled_from(["", "", "retry", "forbidden", "not_found"]))),
    st.tuples(st.just("lose"), st.lists(st.sampled_from(["", "", "forbidden"]))),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.tuples(st.just("drop"), st.integers(0, 9)),
)


def judged_by(codes: Sequence[str]) -> Judge:
    left = list(codes)
    return lambda group: left.pop(0) if left else ""


def happen(queue: Queue, kind: str, what: object) -> None:
    parked = sorted(queue.parked)
    match kind, what:
        case "add", list(changes):
            queue.add(*changes)
        case "take", int(limit) if not queue.under_way:
            queue.take(limit)
        case (("answer" | "lose"), list(codes)):
            queue.answer(judged_by(codes), lost=kind == "lose")
        case "again", int(at) if parked:
            queue.again(parked[at % len(parked)])
        case "drop", int(at) if parked:
            queue.drop(parked[at % len(parked)])


def check(queue: Queue) -> None:
    lines = queue.lines()
    assert all(
        made(first) < made(second)
        for first, second in combinations(lines, 2)
        if builds_on(second.mutation, first.mutation)
    ), "an older change lies behind one that builds on it"
    applied = queue.server.applied
    assert not any(
        second.edit_ms < first.edit_ms and builds_on(second, first)
        for first, second in combinations(applied, 2)
    ), "an older value was applied over a newer one"
    done = [one.edit_ms for one in applied]
    assert len(done) == len(set(done)), "applied twice"
    assert {*done, *queue.order, *queue.dropped} == set(range(1, queue.count + 1)), "lost"
    groups = [line.group for line in lines]
    for name in set(groups):
        mine = [line for line in lines if line.group == name]
        assert len({line.state is State.PARKED for line in mine}) == 1, "half an action waits"
        first = groups.index(name)
        assert groups[first : first + len(mine)] == [name] * len(mine), "something lies within an action"


@settings(max_examples=60, deadline=None)
@given(events=st.lists(event, max_size=25))
def test_changes_are_applied_in_the_order_in_which_they_were_made(events: list[tuple[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        store = database.open_store(Path(folder) / "store.db")
        try:
            queue = Queue(store)
            for kind, what in events:
                happen(queue, kind, what)
                check(queue)
            for _ in range(3):
                queue.answer()
                queue.again(*queue.parked)
                while queue.take():
                    queue.answer()
                check(queue)
            assert queue.order == []
        finally:
            store.close()


# A row that comes back


def came(queue: Queue, ver: int | None) -> None:
    """The server's row is there at this version, or gone (None)."""
    values = {**lead(name="theirs"), "created_at": "2026-11-22T16:00:00.000Z"}
    base = rebase.Base(ver=ver or 9, values=None if ver is None else values)
    with queue.store.write_tx() as tx:
        rebase.set_base(tx, tables.LEADS, ROWS[0], base)


def gone_row(queue: Queue) -> None:
    """A change of a row that the server doesn't have was refused, with its action."""
    queue.add((1, "phone"), (0, "name"))
    queue.add((0, "name"))
    with queue.store.write_tx() as tx:
        rebase.keep_base(tx, tables.LEADS, ROWS[0])
    queue.send(refusing(2, code=outbox.NOT_FOUND))
    assert queue.parked == {1: "group", 2: outbox.NOT_FOUND, 3: outbox.BLOCKED}


def test_what_was_refused_for_a_missing_row_goes_again_when_the_row_comes(queue: Queue) -> None:
    gone_row(queue)
    came(queue, 3)

    assert queue.send() == [1, 2, 3]


def test_it_goes_once_for_each_time_that_the_row_comes(queue: Queue) -> None:
    gone_row(queue)
    came(queue, 3)
    assert queue.send(refusing(2, code=outbox.NOT_FOUND)) == [1, 2, 3]
    came(queue, 4)
    assert queue.send() == []
    came(queue, None)
    assert queue.send() == []
    came(queue, 10)

    assert queue.send() == [1, 2, 3]


def test_a_refusal_that_was_under_way_while_the_row_came_counts_as_one_before_it(queue: Queue) -> None:
    queue.add((0, "name"))
    with queue.store.write_tx() as tx:
        rebase.keep_base(tx, tables.LEADS, ROWS[0])
    queue.take()
    came(queue, 3)
    queue.answer(refusing(1, code=outbox.NOT_FOUND))

    assert queue.send(refusing(1, code=outbox.NOT_FOUND)) == [1]
    assert queue.send() == []


def test_what_was_refused_for_another_reason_stays_with_its_person(queue: Queue) -> None:
    queue.add((0, "name"))
    with queue.store.write_tx() as tx:
        rebase.keep_base(tx, tables.LEADS, ROWS[0])
    queue.send(refusing(1))
    came(queue, 3)

    assert queue.send() == []


def test_numbers_after_a_fork_are_fresh_and_what_waited_may_go(queue: Queue) -> None:
    queue.add((0, "name"))
    queue.add((0, "name"))
    queue.take()
    with queue.store.write_tx() as tx:
        outbox_writes.renumber(tx)

    assert [(line.attempts, line.state) for line in queue.lines()] == [(0, State.PENDING)] * 2
