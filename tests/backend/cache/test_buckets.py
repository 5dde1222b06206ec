"""Closed buckets in memory: true until something is heard of them, and never what an older snapshot saw."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest

from backend.cache import buckets as store
from backend.cache import versions
from backend.cache.answers import Answers
from backend.cache.buckets import DAY, Buckets, Rows, Shelf, View
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
    shelf, lacking = buckets.look("what", kind, DAY, place, [(day, day + 1) for day in days])
    found: dict[int, Any] = dict.fromkeys(lacking.tolist())
    for day in set(days) - found.keys():
        _, values = shelf.within(day, day + 1)
        found[day] = int(values[0, 0])
    return found


async def test_what_was_read_is_there_until_its_bucket_is_touched(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1, TUESDAY: 2})
    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: 1, TUESDAY: 2}

    await touch(deps, answers, tag(MONDAY))

    assert held(answers.buckets, [MONDAY, TUESDAY]) == {MONDAY: None, TUESDAY: 2}
    assert (answers.stats.of["what"].hits, answers.stats.of["what"].misses) == (3, 1)
    assert answers.buckets.causes == {"touched": 1, "first": 0}


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

    await deps.valkey.client_kill_filter(_type="pubsub")
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
    buckets.most_bytes = 300

    keep(buckets, {TUESDAY: 3})

    assert held(buckets, [MONDAY, TUESDAY]) == {MONDAY: 1, TUESDAY: 3}
    assert held(buckets, [MONDAY], place=4) == {MONDAY: None}
    assert buckets.causes["evicted"] == 1


async def test_a_day_that_there_never_was_may_be_forgotten(deps: Deps, open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    keep(answers.buckets, {MONDAY: 1})

    await touch(deps, answers, "loc:3:d:99999999", "loc:3:h:2026111699", "loc:3:stock")

    assert held(answers.buckets, [MONDAY]) == {MONDAY: 1}


@pytest.mark.parametrize("seed", range(5))
def test_a_shelf_holds_what_was_put_last_wherever_it_grows(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_ROWS", 120)
    rng, shelf, expected = random.Random(seed), Shelf(), dict[int, list[int]]()
    for _ in range(60):
        first, width = rng.randrange(200), rng.randrange(1, 4)
        numbers = sorted(rng.sample(range(first, first + 30), rng.randrange(1, 9)))
        values = [[rng.randrange(1, 9) for _ in range(width)] for _ in numbers]
        shelf.put(np.array(numbers), np.array(values))
        expected |= dict(zip(numbers, values, strict=True))
        shelf.drop(dropped := rng.randrange(200))
        expected.pop(dropped, None)

    kept = {number: row for number, row in expected.items() if shelf.first <= number < shelf.end}
    assert len(shelf.state) <= 120
    assert kept
    _, lacking, _ = shelf.lacking([(0, 120), (100, 260)])
    assert set(lacking.tolist()) == set(range(260)) - kept.keys()
    for low, high in ((0, 260), (70, 131), (150, 151)):
        _, found = shelf.within(low, high)
        whole = np.zeros(3, np.int64)
        for number, row in kept.items():
            if low <= number < high:
                whole[: len(row)] += row
        assert found.sum(axis=0).tolist() == whole.tolist()
