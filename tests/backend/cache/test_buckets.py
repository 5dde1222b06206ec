"""Closed buckets in memory: true until something is heard of them, and never what an older snapshot saw."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from backend.cache import versions
from backend.cache.answers import Answers
from backend.cache.buckets import DAY, ROWS, Buckets, Rows, View
from backend.deps import Deps
from tests.backend.cache.conftest import OpenAnswers

pytestmark = pytest.mark.anyio

PLACE = 3
MONDAY = date(2026, 11, 16).toordinal()
TUESDAY = MONDAY + 1


async def touch(deps: Deps, answers: Answers, *tags: str) -> None:
    revision = answers.versions.revision
    await versions.tell(deps.valkey, deps.channel("versions"), tags)
    await until(answers, revision)


async def until(answers: Answers, revision: int) -> None:
    async with asyncio.timeout(10):
        while answers.versions.revision == revision or not answers.versions.known:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


def tag(day: int, place: int = PLACE) -> str:
    return f"loc:{place}:d:{date.fromordinal(day):%Y%m%d}"


def keep(
    buckets: Buckets,
    values: Mapping[int, int],
    *,
    view: View | None = None,
    kind: str = "k",
    place: int = PLACE,
) -> None:
    """A number for each day."""
    days = sorted(values)
    rows = Rows(DAY, place, np.array(days), np.array([[values[day]] for day in days]))
    buckets.keep(kind, [rows], view or buckets.view())


def held(buckets: Buckets, days: Sequence[int], *, kind: str = "k", place: int = PLACE) -> dict[int, Any]:
    """By day; None for what is not there."""
    blocks, lacking = buckets.look(kind, DAY, place, [(day, day + 1) for day in days], "what")
    found: dict[int, Any] = dict.fromkeys(lacking.tolist())
    for day in set(days) - found.keys():
        (row,) = [row for block in blocks for row in block.within(day, day + 1)[1].tolist()]
        found[day] = row[0]
    return found


async def test_what_was_read_is_there_until_its_bucket_is_touched(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1, TUESDAY: 2})
    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: 1, TUESDAY: 2}

    await touch(deps, answers, tag(MONDAY))

    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: None, TUESDAY: 2}
    counted = answers.stats.buckets["what"]
    assert (counted.hits, counted.misses, answers.stats.total().asked) == (3, 1, 0)
    assert answers.buckets.causes["touched"] == 1


async def test_what_a_snapshot_of_before_the_news_saw_is_not_kept(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    view = answers.buckets.view()

    await touch(deps, answers, tag(MONDAY))
    keep(answers.buckets, {MONDAY: 1, TUESDAY: 2}, view=view)

    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: None, TUESDAY: 2}


async def test_other_measures_and_other_places_are_other_values(open_answers: OpenAnswers) -> None:
    buckets = (await open_answers()).buckets
    keep(buckets, {MONDAY: 1})

    assert held(buckets, [MONDAY], kind="other") == {MONDAY: None}
    assert held(buckets, [MONDAY], place=4) == {MONDAY: None}


async def test_without_news_nothing_is_served_or_kept(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1})

    answers.versions.known = False
    assert held(answers.buckets, [MONDAY]) == {MONDAY: None}
    keep(answers.buckets, {TUESDAY: 2})
    answers.versions.known = True

    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: 1, TUESDAY: None}


async def test_after_a_cut_of_the_line_to_the_news_nothing_of_before_is_used(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    """Also where Valkey lost its versions meanwhile, so that a bucket seems never to have been touched."""
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1})
    view, revision = answers.buckets.view(), answers.versions.revision

    for line in await deps.valkey.client_list(_type="pubsub"):
        if line["db"] == str(deps.valkey.connection_pool.connection_kwargs["db"]):  # others have their own
            await deps.valkey.client_kill_filter(_id=line["id"])
    await deps.valkey.delete(versions.HASH)
    await until(answers, revision)

    assert held(answers.buckets, [MONDAY]) == {MONDAY: None}
    keep(answers.buckets, {MONDAY: 1}, view=view)
    assert held(answers.buckets, [MONDAY]) == {MONDAY: None}


async def test_what_nobody_asked_for_longest_goes_when_there_is_too_much(open_answers: OpenAnswers) -> None:
    buckets = (await open_answers()).buckets
    keep(buckets, {MONDAY: 1})
    keep(buckets, {MONDAY: 2}, place=4)
    held(buckets, [MONDAY])
    buckets.most_bytes = ROWS * 8 + 1

    keep(buckets, {TUESDAY: 3})

    assert held(buckets, [MONDAY, TUESDAY]) == {MONDAY: 1, TUESDAY: 3}
    assert held(buckets, [MONDAY], place=4) == {MONDAY: None}
    assert buckets.causes["evicted"] == 1


async def test_a_count_beyond_four_bytes_is_read_anew_rather_than_kept_wrong(
    open_answers: OpenAnswers,
) -> None:
    buckets = (await open_answers()).buckets
    buckets.columns("k", 1, small=True)

    keep(buckets, {MONDAY: 2**31 - 1})
    assert held(buckets, [MONDAY]) == {MONDAY: 2**31 - 1}
    keep(buckets, {TUESDAY: 2**31})
    assert held(buckets, [TUESDAY]) == {TUESDAY: None}


async def test_a_day_that_there_never_was_may_be_forgotten(deps: Deps, open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1})

    await touch(deps, answers, "loc:3:d:99999999", "loc:3:h:2026111699", "loc:3:stock")

    assert held(answers.buckets, [MONDAY]) == {MONDAY: 1}


@pytest.mark.parametrize("seed", range(5))
async def test_any_range_adds_up_to_what_was_kept_last(
    deps: Deps, open_answers: OpenAnswers, seed: int
) -> None:
    answers = await open_answers()
    buckets, rng, expected = answers.buckets, random.Random(seed), dict[int, list[int]]()
    for _ in range(40):
        first, width = MONDAY + rng.randrange(900), rng.randrange(1, 4)
        numbers = sorted(rng.sample(range(first, first + 300), rng.randrange(1, 30)))
        values = [[rng.randrange(1, 9) for _ in range(width)] for _ in numbers]
        buckets.keep("k", [Rows(DAY, PLACE, np.array(numbers), np.array(values))], buckets.view())
        expected |= dict(zip(numbers, values, strict=True))
    dropped = rng.sample(sorted(expected), 50)
    await touch(deps, answers, *map(tag, dropped))
    for number in dropped:
        del expected[number]

    for low, high in ((0, 1_200), (70, 431), (250, 257), (900, 901)):
        begin, end = MONDAY + low, MONDAY + high
        blocks, lacking = buckets.look("k", DAY, PLACE, [(begin, end), (begin, begin + 1)], "what")
        whole = [0, 0, 0]
        for block in blocks:
            for row in block.within(begin, end)[1].tolist():
                whole = [sum(pair) for pair in zip(whole, [*row, 0, 0][:3], strict=True)]
        kept = {number: row for number, row in expected.items() if begin <= number < end}
        assert set(lacking.tolist()) == set(range(begin, end)) - kept.keys()
        assert whole == [
            sum(part) for part in zip([0] * 3, *([*r, 0, 0][:3] for r in kept.values()), strict=True)
        ]
