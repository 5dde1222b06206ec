"""Closed buckets in memory: true as long as their version stands, and never what an older snapshot saw."""

from __future__ import annotations

import asyncio

import pytest

from backend.cache import versions
from backend.cache.answers import Answers
from backend.deps import Deps
from tests.backend.cache.conftest import OpenAnswers

pytestmark = pytest.mark.anyio

MONDAY, TUESDAY = "loc:3:d:20261116", "loc:3:d:20261117"


async def touch(deps: Deps, answers: Answers, tag: str) -> None:
    revision = answers.versions.revision
    await versions.tell(deps.valkey, deps.channel("versions"), [tag])
    async with asyncio.timeout(10):
        while answers.versions.revision == revision:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


async def test_what_was_read_is_there_until_its_bucket_is_touched(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    buckets = answers.buckets
    buckets.put("k", [(MONDAY, 1), (TUESDAY, 2)], buckets.view())
    assert buckets.get("what", "k", [MONDAY, TUESDAY]) == ({MONDAY: 1, TUESDAY: 2}, [])

    await touch(deps, answers, MONDAY)

    assert buckets.get("what", "k", [MONDAY, TUESDAY]) == ({TUESDAY: 2}, [MONDAY])
    assert (answers.stats.of["what"].hits, answers.stats.of["what"].misses) == (3, 1)


async def test_what_a_snapshot_of_before_the_news_saw_is_not_kept(
    deps: Deps, open_answers: OpenAnswers
) -> None:
    answers = await open_answers()
    buckets = answers.buckets
    view = buckets.view()

    await touch(deps, answers, MONDAY)
    buckets.put("k", [(MONDAY, "of before"), (TUESDAY, 2)], view)

    assert buckets.get("what", "k", [MONDAY, TUESDAY]) == ({TUESDAY: 2}, [MONDAY])


async def test_other_measures_of_the_same_day_are_other_values(open_answers: OpenAnswers) -> None:
    buckets = (await open_answers()).buckets
    buckets.put("k", [(MONDAY, 1)], buckets.view())

    assert buckets.get("what", "other", [MONDAY]) == ({}, [MONDAY])


async def test_without_news_nothing_is_served_or_kept(open_answers: OpenAnswers) -> None:
    answers = await open_answers()
    buckets = answers.buckets
    buckets.put("k", [(MONDAY, 1)], buckets.view())

    answers.versions.known = False
    assert buckets.get("what", "k", [MONDAY]) == ({}, [MONDAY])
    buckets.put("k", [(TUESDAY, 2)], buckets.view())
    answers.versions.known = True

    assert buckets.get("what", "k", [MONDAY, TUESDAY]) == ({MONDAY: 1}, [TUESDAY])


async def test_the_oldest_go_when_there_are_too_many(open_answers: OpenAnswers) -> None:
    buckets = (await open_answers()).buckets
    buckets.most = 2
    buckets.put("k", [(MONDAY, 1), (TUESDAY, 2), ("loc:3:d:20261118", 3)], buckets.view())

    assert buckets.get("what", "k", [MONDAY, TUESDAY])[1] == [MONDAY]
