"""The cache: once for all who ask, never stale, never another's."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from backend.cache import versions
from backend.cache.answers import Answers, Ask, Made, Make
from backend.cache.spans import Span
from backend.deps import Deps
from tests.backend.cache.conftest import OpenAnswers, opened
from tests.waiting import until

pytestmark = pytest.mark.anyio

NOVEMBER = Span(places=(3,), days=(date(2026, 11, 1), date(2026, 11, 22)))


def ask(*, fingerprint: str = "f", span: Span = NOVEMBER, closed: bool = False, **params: object) -> Ask:
    return Ask(what="kpis", params=params, fingerprint=fingerprint, span=span, closed=closed)


def counting(body: bytes = b"{}") -> tuple[Make, list[int]]:
    calls: list[int] = []

    async def make() -> Made:
        calls.append(1)
        return Made(body=body + str(len(calls)).encode())

    return make, calls


async def until_news(answers: Answers, revision: int) -> None:
    await until(lambda: answers.versions.revision > revision)


async def raised(deps: Deps, answers: Answers, tag: str) -> None:
    revision = answers.versions.revision
    await versions.tell(deps.valkey, deps.channel("versions"), [tag])
    await until_news(answers, revision)


async def test_the_second_who_asks_gets_what_was_worked_out_for_the_first(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, calls = counting()

    first = await answers.get(ask(timeframe="30d"), make)
    second = await answers.get(ask(timeframe="30d"), make)

    assert (first.hit, second.hit, first.body == second.body, len(calls)) == (False, True, True, 1)


async def test_another_process_finds_it_too(open_answers: OpenAnswers) -> None:
    here, there = await open_answers(), await open_answers()
    make, calls = counting()
    await here.get(ask(), make)

    found = await there.get(ask(), make)

    assert (found.hit, len(calls)) == (True, 1)


async def test_another_scope_or_other_parameters_never_get_it(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, calls = counting()
    await answers.get(ask(timeframe="30d"), make)

    assert not (await answers.get(ask(fingerprint="g", timeframe="30d"), make)).hit
    assert not (await answers.get(ask(timeframe="7d"), make)).hit
    assert len(calls) == 3


async def test_a_touched_bucket_makes_the_answer_unfindable_in_every_process(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    here, there = await open_answers(), await open_answers()
    make, calls = counting()
    await here.get(ask(), make)
    assert (await there.get(ask(), make)).hit

    revision = there.versions.revision
    await raised(deps, here, "loc:3:d:20261105")
    await until_news(there, revision)

    assert not (await here.get(ask(), make)).hit
    assert (await there.get(ask(), make)).body == b"{}2"
    assert len(calls) == 2


@pytest.mark.parametrize("tag", ["loc:4:d:20261105", "loc:3:d:20261023", "loc:3:h:2026110510", "loc:3:stock"])
async def test_what_it_does_not_add_up_may_change(deps: Deps, open_answers: OpenAnswers, tag: str) -> None:
    answers = await open_answers()
    make, _ = counting()
    await answers.get(ask(), make)

    await raised(deps, answers, tag)

    assert (await answers.get(ask(), make)).hit


async def test_a_late_event_reaches_a_closed_answer_of_a_whole_month(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    make, _ = counting()
    closed = ask(span=Span(places=(3,), days=(date(2026, 9, 1), date(2026, 10, 31))), closed=True)
    await answers.get(closed, make)

    await raised(deps, answers, "loc:3:d:20260930")

    assert not (await answers.get(closed, make)).hit


async def test_a_late_hour_reaches_an_answer_of_whole_utc_days(deps: Deps, open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, _ = counting()
    week = Span(
        places=(3,), hours=(datetime(2026, 11, 10, 5, tzinfo=UTC), datetime(2026, 11, 17, 4, tzinfo=UTC))
    )
    await answers.get(ask(span=week), make)

    await raised(deps, answers, "loc:3:h:2026111223")

    assert not (await answers.get(ask(span=week), make)).hit


async def test_an_answer_that_was_overtaken_while_it_was_worked_out_is_never_served(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Made:
        started.set()
        await go_on.wait()
        return Made(body=b"of before")

    asking = asyncio.create_task(answers.get(ask(), slow))
    await started.wait()
    await raised(deps, answers, "loc:3:d:20261105")
    go_on.set()
    await asking

    make, _ = counting(b"of now")
    assert (await answers.get(ask(), make)).body == b"of now1"


async def test_many_who_ask_at_once_wait_for_one_calculation(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    calls = 0

    async def slow() -> Made:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.02)
        return Made(body=b"x")

    found = await asyncio.gather(*(answers.get(ask(), slow) for _ in range(50)))

    assert calls == 1
    assert {answer.body for answer in found} == {b"x"}


async def test_who_gives_up_does_not_take_the_answer_from_the_others(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    go_on = asyncio.Event()

    async def slow() -> Made:
        await go_on.wait()
        return Made(body=b"x")

    impatient = asyncio.create_task(answers.get(ask(), slow))
    patient = asyncio.create_task(answers.get(ask(), slow))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    go_on.set()

    assert (await patient).body == b"x"


async def test_a_fault_is_told_to_all_who_wait_and_not_kept(open_answers: OpenAnswers) -> None:
    answers = await open_answers()

    async def broken() -> Made:
        await asyncio.sleep(0)
        raise TimeoutError

    found = await asyncio.gather(*(answers.get(ask(), broken) for _ in range(3)), return_exceptions=True)
    make, _ = counting()

    assert [type(fault) for fault in found] == [TimeoutError] * 3
    assert (await answers.get(ask(), make)).body == b"{}1"


async def test_who_wants_it_fresh_gets_it_fresh_and_so_do_the_next(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, _ = counting()
    await answers.get(ask(), make)

    fresh = await answers.get(ask(), make, fresh=True)

    assert (fresh.hit, fresh.body) == (False, b"{}2")
    assert (await answers.get(ask(), make)).body == b"{}2"


async def test_what_somebody_else_wrote_into_valkey_is_not_served(deps: Deps) -> None:
    make, calls = counting()
    async with opened(deps, secret=b"a stranger's") as stranger:
        await stranger.get(ask(), make)
    async with opened(deps) as ours:
        found = await ours.get(ask(), make)

    assert (found.hit, len(calls)) == (False, 2)


async def test_a_process_that_hears_no_news_works_everything_out(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, calls = counting()
    await answers.get(ask(), make)

    answers.versions.known = False
    found = await answers.get(ask(), make)

    assert (found.hit, len(calls)) == (False, 2)
    assert answers.stats.total().bypassed == 1


async def test_what_was_warmed_counts_when_somebody_asks(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    make, _ = counting()
    await answers.get(ask(), make, warming=True)
    assert await answers.holds(ask())

    await answers.get(ask(), make)
    await answers.get(ask(), make)

    counted = answers.stats.total()
    assert (counted.hits, counted.misses, counted.warmed, counted.warmed_then_hit) == (2, 0, 1, 1)
    assert counted.hit_ratio == 1
