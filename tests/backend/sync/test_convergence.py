"""Random work on three devices with lost answers, repeats and late numbering: at the end all hold the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from backend.deps import Deps
from domain import ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead

pytestmark = pytest.mark.anyio

WORDS = ("a", "b", "c", None)


def some_change(rng: random.Random, device: Device, leads: list[str]) -> wire.Mutation:
    lead_id = rng.choice(leads)
    known = device.rows.get(("leads", lead_id))
    more: dict[str, Any] = {
        "base_ver": known[1] if known else 0,
        "edit_ms": rng.randrange(10**12, 2 * 10**12),
    }
    kind = rng.random()
    if kind < 0.1:
        leads.append(ids.new_id())
        return device.mutation("put", "leads", leads[-1], a_lead(device))
    if kind < 0.15:
        return device.mutation("delete", "leads", lead_id, **more)
    patch: dict[str, Any] = {"source": rng.choice(WORDS)}
    if kind < 0.4:
        patch = {"price_cents": rng.randrange(3), "tags": rng.sample(["x", "y", "z"], 2)}
    return device.mutation("patch", "leads", lead_id, patch, **more)


async def step(rng: random.Random, device: Device, leads: list[str], unsent: list[wire.Mutation]) -> None:
    """Something changes; perhaps it is sent, perhaps the answer arrives, perhaps the device asks for news."""
    unsent.append(some_change(rng, device, leads))
    if rng.random() < 0.5:
        results = await device.push(*unsent)
        if rng.random() < 0.6:
            device.confirm(unsent, results)
            unsent.clear()
    if rng.random() < 0.5:
        await device.page(limit=rng.choice((1, 3, 1000)))


@pytest.mark.parametrize("seed", range(4))
async def test_all_devices_end_with_the_same(
    make_device: MakeDevice, deps: Deps, stamp: Stamp, seed: int
) -> None:
    rng = random.Random(seed)
    manager = await make_device("manager")
    devices = [manager, await make_device("manager"), await make_device("admin")]
    leads = [ids.new_id()]
    unsent: dict[str, list[wire.Mutation]] = {device.id: [] for device in devices}
    for _ in range(60):
        device = rng.choice(devices)
        await step(rng, device, leads, unsent[device.id])
        if rng.random() < 0.4:
            await stamp()
    for device in devices:
        if unsent[device.id]:
            device.confirm(unsent[device.id], await device.push(*unsent[device.id]))
    await stamp()
    fresh = await make_device("manager")
    await stamp()
    for device in (*devices, fresh):
        await device.pull(limit=2)
    assert fresh.rows
    for device in devices:
        assert device.rows == fresh.rows
    once = await deps.pool.fetchval("SELECT count(*) FROM applied_mutations")
    assert once == sum(next(device.mids) - 1 for device in devices)
