"""The sync machine alone: what it does next, whatever happened. No network, no store, no clock."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import errors, wire
from sync import compare, file_steps, machine, steps
from sync.effects import Arm, Done, Failed, ForceOffline, Input, Output, Refresh, Send, Store, Tick, Wake, Why
from sync.status import Phase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOWN = errors.UnreachableError("no network")
BUSY = errors.ServerFaultError("busy", retry_after=40.0)
EXPIRED = errors.TokenExpiredError("expired")
TOO_OLD = errors.VersionMismatchError("too old")


def batch(*mids: int) -> steps.Batch:
    one = [
        wire.Mutation(
            mid=mid, group="", table="leads", row_id=f"r{mid}", op=wire.Op.PATCH, patch={}, base_ver=1, base={},
            edit_ms=1, seen_server_ms=1,
        )
        for mid in mids
    ]  # fmt: skip
    return steps.Batch(push=wire.Push(device_id="d", epoch="e", mutations=one))


ASK = wire.PullAsk(cursor="c")
PAGE = wire.Page(cursor="d", more=False, blocks=[], removed=[], scopes=[], server_ms=1, incarnation="i")
ANSWER = wire.PushAnswer(results=(), server_ms=1, incarnation="i")


@dataclass(slots=True)
class Talk:
    """The machine under test, and what it wants done that is not done yet."""

    machine: machine.Machine = field(default_factory=lambda: machine.Machine(rng=random.Random(1)))
    open: dict[int, Output] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    said: list[Output] = field(default_factory=list)
    now: datetime = NOON

    def hear(self, said: Input) -> list[Output]:
        if isinstance(said, Done | Failed):
            self.open.pop(said.id, None)
        if isinstance(said, Tick):
            self.timers.pop(said.timer, None)
        made = self.machine.handle(said, self.now)
        for one in made:
            if isinstance(one, Arm):
                self.timers.pop(one.timer, None)
                if one.seconds is not None:
                    self.timers[one.timer] = one.seconds
            else:
                self.open[one.id] = one
        self.said += made
        return made

    def wish(self, kind: type[Any]) -> int:
        """The id of the open output whose step or request is a `kind`."""
        return next(id for id, one in self.open.items() if isinstance(what(one), kind))

    def wishes(self) -> set[str]:
        return {type(what(one)).__name__ for one in self.open.values()}

    def do(self, kind: type[Any], value: Any) -> None:
        self.hear(Done(self.wish(kind), value))

    def fail(self, kind: type[Any], fault: errors.JorgeError) -> None:
        self.hear(Failed(self.wish(kind), fault))

    def rest(self) -> None:
        """Answer everything with "nothing there" until it is quiet."""
        while self.open:
            id, one = next(iter(self.open.items()))
            self.hear(Done(id, nothing(what(one))))


def what(one: Output) -> Any:
    match one:
        case Send(_, ask):
            return ask
        case Store(_, step):
            return step
        case _:
            return one


def nothing(wanted: Any) -> Any:
    match wanted:
        case steps.AskPage():
            return ASK
        case wire.PullAsk():
            return PAGE
        case steps.KeepPage():
            return steps.Kept(rows=0, more=False)
        case _:
            return None


def awake(why: Why = Why.NEWS) -> Talk:
    talk = Talk()
    talk.hear(Wake(why))
    return talk


def test_changes_go_up_before_pages_come_down() -> None:
    talk = awake()
    assert talk.wishes() == {"TakeBatch"}

    talk.do(steps.TakeBatch, batch(1))
    assert talk.wishes() == {"Push"}
    talk.do(wire.Push, ANSWER)
    talk.do(steps.KeepAnswer, steps.Sent(safe=1))
    talk.do(steps.TakeBatch, None)
    assert talk.wishes() == {"AskPage", "NextFile"}


def test_after_a_push_the_server_s_poke_or_a_short_wait_brings_the_pull() -> None:
    talk = awake(Why.COMMIT)
    talk.do(steps.TakeBatch, batch(1))
    talk.do(wire.Push, ANSWER)
    talk.do(steps.KeepAnswer, steps.Sent(safe=1))
    talk.do(steps.TakeBatch, None)
    assert (talk.wishes(), talk.timers) == ({"NextFile"}, {machine.SETTLE: machine.SETTLE_SECONDS})

    talk.hear(Wake(Why.NEWS))

    assert machine.SETTLE not in talk.timers
    talk.do(steps.TakeBatch, None)
    assert "AskPage" in talk.wishes()


def test_a_push_that_hangs_holds_up_no_page_for_longer_than_a_second() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    assert talk.timers == {machine.PATIENCE: machine.PATIENCE_SECONDS}

    talk.hear(Tick(machine.PATIENCE))

    assert talk.wishes() == {"Push", "AskPage"}


def test_constant_writing_does_not_starve_the_pages() -> None:
    talk = awake()
    talk.hear(Wake(Why.COMMIT))
    talk.do(steps.TakeBatch, None)

    assert "AskPage" in talk.wishes()


def test_no_answer_stops_everything_behind_one_timer() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    talk.fail(wire.Push, DOWN)

    assert talk.wishes() == {"Note"}
    assert (set(talk.timers) - {machine.PATIENCE}, talk.machine.status.online) == ({"line"}, False)
    talk.hear(Tick("line"))
    assert "TakeBatch" in talk.wishes()


def test_an_edit_made_offline_is_tried_at_once_and_puts_the_timer_no_further_off() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    talk.fail(wire.Push, DOWN)
    before = talk.timers["line"]
    talk.hear(Wake(Why.COMMIT))
    talk.do(steps.TakeBatch, batch(1, 2))
    talk.fail(wire.Push, DOWN)

    assert talk.timers["line"] == before


def test_whatever_answers_makes_the_line_whole_again() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    talk.fail(wire.Push, DOWN)
    talk.hear(Wake(Why.COMMIT))
    talk.do(steps.TakeBatch, batch(1))
    talk.do(wire.Push, ANSWER)

    assert "line" not in talk.timers
    assert talk.machine.status.online


def test_a_busy_server_stops_only_the_lane_that_it_refused_and_gets_its_pause() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    talk.fail(wire.Push, BUSY)

    assert {"AskPage", "NextFile"} <= talk.wishes()
    assert 40 <= talk.timers["up"] <= 42


def test_a_token_is_renewed_once_for_a_request_and_the_same_is_sent_again() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, sent := batch(1))
    talk.fail(wire.Push, EXPIRED)
    assert talk.wishes() == {"Refresh"}

    talk.do(Refresh, None)
    assert [what(one) for one in talk.open.values()] == [sent.push]
    talk.fail(wire.Push, EXPIRED)

    assert talk.machine.status.needs_sign_in
    assert "Refresh" not in talk.wishes()


def test_an_app_that_is_too_old_stops_reading_and_still_sends() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, None)
    talk.do(steps.AskPage, ASK)
    talk.fail(wire.PullAsk, TOO_OLD)
    talk.rest()
    talk.hear(Wake(Why.COMMIT))

    assert "TakeBatch" in talk.wishes()
    talk.do(steps.TakeBatch, None)
    assert "AskPage" not in talk.wishes()


def test_switched_off_nothing_is_sent_and_what_was_under_way_is_forgotten() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1))
    push = talk.wish(wire.Push)
    talk.hear(ForceOffline(True))
    talk.hear(Done(push, ANSWER))

    assert not talk.open
    talk.hear(ForceOffline(False))
    assert talk.wishes() == {"TakeBatch"}


def test_a_batch_that_can_t_be_read_is_halved_down_to_the_change_at_fault() -> None:
    talk = awake()
    talk.do(steps.TakeBatch, batch(1, 2))
    talk.fail(wire.Push, errors.InputError("?"))
    (take,) = (what(one) for one in talk.open.values())
    assert take == steps.TakeBatch(limit=1)
    talk.do(steps.TakeBatch, batch(1))
    talk.fail(wire.Push, errors.InputError("?"))

    assert talk.wishes() == {"Park"}


def comparing(due: compare.Due) -> Talk:
    """After a quiet run."""
    talk = awake()
    talk.do(steps.TakeBatch, None)
    talk.do(steps.AskPage, ASK)
    talk.do(wire.PullAsk, PAGE)
    talk.do(steps.KeepPage, steps.Kept(rows=0, more=False))
    talk.do(file_steps.NextFile, None)
    talk.do(compare.IsDue, due)
    return talk


def test_after_a_quiet_run_the_store_is_held_against_the_server() -> None:
    talk = comparing(compare.Due(content=False, older=False))

    assert talk.wishes() == {"DigestAsk"}
    assert talk.machine.status.phase is Phase.COMPARING


def test_with_a_server_of_another_release_ids_and_versions_are_compared_instead_of_contents() -> None:
    """It refuses contents: an older app would never again come to the end of a comparison that it needs."""
    due = compare.Due(content=True, older=True)
    talk = comparing(due)
    talk.fail(wire.DigestAsk, errors.InputError("Contents are compared between equal versions only."))
    assert what(talk.open[talk.wish(wire.DigestAsk)]) == wire.DigestAsk(content=False)
    talk.do(wire.DigestAsk, wire.Digests(sums={}))
    talk.do(compare.Sums, [])

    assert what(talk.open[talk.wish(compare.Remember)]) == compare.Remember(due=due, repaired=0, late=False)


FAULTS = st.sampled_from([DOWN, BUSY, EXPIRED, errors.ResyncError("?"), errors.DeviceForkedError("?")])
WHYS = st.sampled_from([*Why])
EVENTS = st.one_of(
    st.tuples(st.just("done"), st.integers(0, 9)),
    st.tuples(st.just("fail"), FAULTS),
    st.tuples(st.just("wake"), WHYS),
    st.tuples(st.just("tick"), st.integers(0, 9)),
    st.tuples(st.just("force"), st.booleans()),
)


@given(st.lists(EVENTS, max_size=60))
def test_whatever_happens_each_lane_does_one_thing_and_work_that_waits_will_be_done(
    events: Iterable[tuple[str, Any]],
) -> None:
    talk = awake()
    for name, arg in events:
        before = set(talk.open)
        play(talk, name, arg)
        talk.now += timedelta(seconds=1)
        lanes = [one for one in talk.machine.runners if one.lane is not None]
        begun = {id for id, one in talk.open.items() if not isinstance(what(one), steps.Note)} - before
        assert begun <= {one.id for one in lanes} <= talk.open.keys()
        stopped = talk.machine.status.forced_offline or talk.machine.status.needs_sign_in
        for one in talk.machine.talking:
            if one.wanted and one.lane is None and not stopped and not one.asleep:
                assert talk.timers or lanes, f"{one.name} waits for ever"


def play(talk: Talk, name: str, arg: Any) -> None:
    ids, timers = list(talk.open), list(talk.timers)
    match name:
        case "done" if ids:
            id = ids[arg % len(ids)]
            value = batch(1) if arg == 9 and isinstance(what(talk.open[id]), steps.TakeBatch) else None
            made = nothing(what(talk.open[id]))
            talk.hear(Done(id, value or made or answer(what(talk.open[id]))))
        case "fail" if ids:
            id = next((one for one in ids if not isinstance(talk.open[one], Store)), None)
            if id is not None:
                talk.hear(Failed(id, arg))
        case "wake":
            talk.hear(Wake(arg))
        case "tick" if timers:
            talk.hear(Tick(timers[arg % len(timers)]))
        case "force":
            talk.hear(ForceOffline(arg))


def answer(wanted: Any) -> Any:
    return steps.Sent(safe=1) if isinstance(wanted, steps.KeepAnswer) else None
