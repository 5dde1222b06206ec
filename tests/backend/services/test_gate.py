"""So many at a time, so many in line, and nobody's place is lost when somebody breaks off."""

from __future__ import annotations

import asyncio

import pytest

from backend.services.gate import Gate, gate_for
from domain import errors

pytestmark = pytest.mark.anyio


async def inside(gate: Gate, leave: asyncio.Event) -> None:
    async with gate.passed():
        await leave.wait()


async def crowd(gate: Gate, count: int, leave: asyncio.Event) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(inside(gate, leave)) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_finds_the_line_full_is_told_when_to_come_again() -> None:
    gate, leave = Gate(width=2, waiting=3), asyncio.Event()
    tasks = await crowd(gate, 6, leave)

    assert (gate.inside, gate.standing) == (2, 3)
    fault = tasks[5].exception()
    assert isinstance(fault, errors.FirstSyncBusyError)
    assert fault.retry_after
    leave.set()
    await asyncio.gather(*tasks[:5])
    assert (gate.inside, gate.standing) == (0, 0)


async def test_who_breaks_off_leaves_their_place_to_the_next() -> None:
    gate, leave = Gate(width=1, waiting=2), asyncio.Event()
    first, second, third = await crowd(gate, 3, leave)

    first.cancel()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    await asyncio.sleep(0)

    assert (gate.inside, gate.standing) == (1, 0)
    leave.set()
    await third


@pytest.mark.parametrize(("connections", "width"), [(2, 1), (6, 2), (10, 3), (90, 3)])
async def test_most_connections_are_left_to_the_others(connections: int, width: int) -> None:
    assert gate_for(connections).width == width
