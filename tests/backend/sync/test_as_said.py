"""`applied` without a row says: the row is what you have, with your change. Else the answer brings the row."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from backend.deps import Deps
from domain import digests, ids, tables, wire
from domain.tables import Type
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.places import all_of

pytestmark = pytest.mark.anyio

ANA = "018f0000-0000-7000-8000-00000000000a"
NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 1.0, 0.1, -0.0, 1e15, 1e16, 1.5e16, -1e18, 1.2345678901234567e18, 1e22, 5e-324, 1e-320, 1e299,
    (1 << 53) + 1, (1 << 63) - 1, -(1 << 63), (1 << 64) - 1, 1 << 64, -(1 << 63) - 1, 10**30,
)  # fmt: skip
CHOICES: Mapping[Type, tuple[Any, ...]] = {
    Type.TEXT: ("", "a", "B ü🏡", None),
    Type.ID: (ANA, ANA.upper(), None),
    Type.INT: (0, 7, -7, None),
    Type.REAL: (0, -0.0, 5, 0.1, 1e-320, -33.25, 1 << 5, None),
    Type.BOOL: (True, False, None),
    Type.TIME: (
        "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123456Z", "2026-01-01T02:00:00+02:00", "2026-01-01 00:00Z",
        "1969-12-31T23:59:59.999999-14:00", None,
    ),
    Type.DATE: ("2026-01-01", "1900-01-01", "2200-12-31", None),
}  # fmt: skip


def json_value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth < 3 and kind < 0.2:
        return [json_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    if depth < 3 and kind < 0.4:
        return {rng.choice("bca"): json_value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return rng.choice((*NUMBERS, "", "\u2028é", True, False, None))


def some(rng: random.Random, *, whole: bool) -> dict[str, Any]:
    """Values of a lead, some of them written in another way than the server writes them."""
    found: dict[str, Any] = {}
    for field in tables.LEADS.fields:
        if field.required or field.name == "temperature" or not (whole or rng.random() < 0.3):
            continue
        if field.name == "tags":
            found[field.name] = rng.choice((["x", "y"], ["y"], [], None))
        elif field.type is Type.JSON:
            found[field.name] = json_value(rng)
        elif field.name != "external_id":
            found[field.name] = rng.choice(CHOICES[field.type])
    return found


def contents(row: Mapping[str, Any]) -> str:
    return digests.canonical(tables.LEADS, row)


@pytest.mark.parametrize("seed", range(3))
async def test_who_adds_its_changes_to_its_rows_has_what_the_server_has(
    make_device: MakeDevice, deps: Deps, seed: int
) -> None:
    rng = random.Random(seed)
    phone = await make_device()
    known: dict[str, tuple[int, dict[str, Any]]] = {}
    made = [ids.new_id() for _ in range(20)]
    first = [phone.mutation("put", "leads", one, a_lead(phone, **some(rng, whole=True))) for one in made]
    statuses = await _done(phone, known, first)
    for _ in range(2):
        changes = []
        for _ in range(80):
            lead = rng.choice(made)
            patch = some(rng, whole=False)
            ver, row = known[lead]
            base = {name: row.get(name) for name in patch}
            changes.append(phone.mutation("patch", "leads", lead, patch, base=base, base_ver=ver))
        statuses |= await _done(phone, known, changes)

    assert statuses == {wire.Status.APPLIED, wire.Status.MERGED}
    for stored in await all_of(deps, "leads"):
        ver, mine = known[stored.id]
        assert (ver, contents(mine)) == (stored.ver, contents(stored.values))


async def _done(
    phone: Device, known: dict[str, tuple[int, dict[str, Any]]], changes: list[wire.Mutation]
) -> set[wire.Status]:
    """The device adds what is applied to what it has, and takes the rows that it is told."""
    statuses = set()
    told = {result.mid: result for result in await phone.push(*changes)}
    for change in changes:
        result = told[change.mid]
        statuses.add(result.status)
        ver, row = known.get(change.row_id, (0, {}))
        if result.row is not None:
            assert result.row.ver >= ver
            known[change.row_id] = result.row.ver, dict(result.row.values)
        elif result.ver > ver:
            known[change.row_id] = result.ver, {**row, **change.patch}
    return statuses


ODD = (
    ("last_touch_at", "2026-01-01T02:00:00.000+02:00", "2026-01-01T00:00:00.000Z"),
    ("last_touch_at", "2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.123Z"),
    ("agent_id", ANA.upper(), ANA),
    ("answers", {"x": 1e16}, {"x": 10**16}),
    ("answers", {"x": -0.0}, {"x": 0.0}),
    ("answers", {"x": 1 << 64}, {"x": float(1 << 64)}),
    ("lat", -0.0, 0.0),
)


@pytest.mark.parametrize(("name", "sent", "kept"), ODD)
async def test_the_row_is_told_where_the_server_writes_a_value_in_its_own_way(
    make_device: MakeDevice, name: str, sent: Any, kept: Any
) -> None:
    phone = await make_device()
    lead, other = await new_lead(phone), ids.new_id()

    results = await phone.push(
        phone.mutation("patch", "leads", lead, {name: sent}, base_ver=1),
        phone.mutation("put", "leads", other, a_lead(phone, **{name: sent})),
        phone.mutation("patch", "leads", lead, {name: sent}, base_ver=2, base={name: kept}),
    )

    assert [result.status for result in results] == [wire.Status.MERGED] * 3
    for result in results[1:]:
        assert result.row is not None
        assert contents(result.row.values) == contents({**result.row.values, name: kept})


async def test_a_row_that_is_named_in_capitals_is_told_by_its_name(make_device: MakeDevice) -> None:
    phone, lead = await make_device(), ids.new_id()

    (result,) = await phone.push(phone.mutation("put", "leads", lead.upper(), a_lead(phone)))

    assert result.row is not None
    assert result.row.id == lead


@pytest.mark.parametrize("seed", range(2))
async def test_a_rows_own_values_can_always_be_put_back(
    make_device: MakeDevice, deps: Deps, seed: int
) -> None:
    rng = random.Random(seed)
    phone = await make_device()
    await phone.push(
        *(
            phone.mutation("put", "leads", ids.new_id(), a_lead(phone, **some(rng, whole=True)))
            for _ in range(20)
        )
    )
    stored = await all_of(deps, "leads")
    assert len(stored) == 20
    await phone.push(*(phone.mutation("delete", "leads", row.id, base_ver=1) for row in stored))

    results = await phone.push(
        *(phone.mutation("put", "leads", row.id, row.values, base_ver=2) for row in stored)
    )

    assert {(one.status, one.code) for one in results} == {(wire.Status.MERGED, "")}
    assert {row.id: row.values for row in await all_of(deps, "leads")} == {
        row.id: row.values for row in stored
    }
