"""Budgets: exact for people, cheap for events, shared by all processes, and still there without Valkey."""

from __future__ import annotations

import pytest
from redis import asyncio as redis

from backend.deps import Deps
from backend.limits import BLOCK, Cost, Limits
from domain import errors

pytestmark = pytest.mark.anyio


def limits(deps: Deps, *, people: int = 10, events: int = 1_000) -> Limits:
    return Limits(deps.valkey, people=people, events=events, prefix=deps.channel_prefix)


async def test_costs_add_up_to_the_budget_and_no_further(deps: Deps) -> None:
    budget = limits(deps)

    await budget.person("a", Cost.DRILL - 1)
    await budget.person("a")
    with pytest.raises(errors.TooManyTriesError) as caught:
        await budget.person("a")

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60
    await budget.person("b", Cost.DRILL)


async def test_a_question_that_is_refused_costs_nothing(deps: Deps) -> None:
    budget = limits(deps)
    await budget.person("a", 5)

    for _ in range(3):
        with pytest.raises(errors.TooManyTriesError):
            await budget.person("a", 6)

    await budget.person("a", 5)


async def test_processes_count_together(deps: Deps) -> None:
    one, other = limits(deps), limits(deps)
    await one.person("a", 6)

    with pytest.raises(errors.TooManyTriesError):
        await other.person("a", 6)


async def test_events_are_counted_not_requests(deps: Deps) -> None:
    budget = limits(deps)
    await budget.source(1, 600)

    with pytest.raises(errors.TooManyTriesError):
        await budget.source(1, 500)
    await budget.source(1, 400)
    await budget.source(2, 400)


async def test_a_batch_larger_than_the_budget_goes_through_when_nothing_else_did(deps: Deps) -> None:
    await limits(deps, events=100).source(1, 5_000)


async def test_none_means_no_limit(deps: Deps) -> None:
    free = limits(deps, people=0, events=0)

    for _ in range(100):
        await free.person("a", 1_000)
        await free.source(1, 10**9)


async def test_without_valkey_each_process_counts_for_itself(deps: Deps) -> None:
    nobody = redis.Redis(host="127.0.0.1", port=1)
    budget = Limits(nobody, people=10, events=1_000)

    await budget.person("a", 6)
    with pytest.raises(errors.TooManyTriesError):
        await budget.person("a", 6)

    assert budget.numbers() == {"limits_refused_total": 1}
    await nobody.aclose()


async def test_a_larger_budget_is_taken_in_blocks_and_spent_to_within_one(deps: Deps) -> None:
    budgets = [limits(deps, people=1_000) for _ in range(2)]

    taken = [await _taken(budgets[n % 2], Cost.REVENUE) for n in range(400)]

    assert 1_000 - 4 * BLOCK <= sum(taken) * Cost.REVENUE <= 1_000
    assert not any(taken[-10:])


async def _taken(budget: Limits, cost: int) -> bool:
    try:
        await budget.person("a", cost)
    except errors.TooManyTriesError:
        return False
    return True


async def test_keys_name_nobody(deps: Deps) -> None:
    await limits(deps).person("01000000-0000-7000-8000-00000000000a")

    keys = [key async for key in deps.valkey.scan_iter()]
    assert [b"@" in key for key in keys] == [False]
