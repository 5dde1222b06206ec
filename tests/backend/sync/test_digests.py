"""The server's sums are those that a device works out from the rows it pulled, whatever the rows hold."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from backend.deps import Deps
from domain import digests, ids, tables, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead
from tests.backend.sync.test_isolation import fill

pytestmark = pytest.mark.anyio

WORDS = ["", "Ann", "Žofia 🏡", 'a"b\\', "line\nbreak", "0", "null"]


def any_lead(device: Device, rng: random.Random) -> dict[str, Any]:
    return a_lead(
        device,
        location_id=rng.choice(device.locations),
        name=rng.choice(WORDS) or "x",
        lat=rng.choice([None, 0.1 + 0.2, -1e-300, 34.0, rng.random()]),
        timeline_days=rng.choice([None, 0, -5, 2**40]),
        price_cents=rng.choice([None, 10**14]),
        price_on=rng.choice([None, "2026-11-22"]),
        opted_out=rng.choice([None, False]),
        tags=rng.choice([None, [], ["b", "a", "é"]]),
        answers=rng.choice([None, {"b": 1, "a": [1.0, 1e21, None, {"z": "ü"}]}, {}]),
        consent_at=rng.choice([None, "2026-11-22T16:00:00.123Z"]),
    )


def summed(rows: Iterable[list[Any]], table: tables.Table, *, content: bool) -> tuple[int, str]:
    hashes = [
        digests.row_hash(
            row[0],
            row[1],
            digests.canonical(table, dict(zip(table.columns, row[2:], strict=True))) if content else None,
        )
        for row in rows
    ]
    return len(hashes), digests.text(digests.total(hashes))


def of_replica(device: Device, *, content: bool) -> Mapping[str, Mapping[str, tuple[int, str]]]:
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for (name, _), row in device.rows.items():
        found.setdefault(row[2], {}).setdefault(name, []).append(row)
    return {
        scope: {name: summed(rows, tables.BY_NAME[name], content=content) for name, rows in some.items()}
        for scope, some in found.items()
    }


async def said(device: Device, **params: Any) -> wire.Digests:
    answer = await device.client.get("/api/sync/digests", params=params, headers=device.headers)
    assert answer.status_code == 200, answer.text
    return wire.Digests.from_json(answer.json())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("content", [False, True])
async def test_sums_of_whatever_rows_are_those_of_the_replica(
    make_device: MakeDevice, stamp: Stamp, seed: int, content: bool
) -> None:
    desk, rng = await make_device("manager", ("A", "B")), random.Random(seed)
    await fill(desk)
    leads = [ids.new_id() for _ in range(30)]
    await desk.push(*(desk.mutation("put", "leads", lead, any_lead(desk, rng)) for lead in leads))
    await desk.push(
        *(
            desk.mutation("patch", "leads", lead, {"source": "x"}, base_ver=1)
            for lead in rng.sample(leads, 9)
        ),
        *(desk.mutation("delete", "leads", lead, base_ver=1) for lead in rng.sample(leads, 5)),
    )
    await stamp()
    replica = await make_device("manager", ("A", "B"))

    await replica.pull(limit=7)

    assert (await said(replica, content=int(content))).sums == of_replica(replica, content=content)
    scope = replica.locations[0]
    rows = [row for (name, _), row in replica.rows.items() if name == "leads" and row[2] == scope]
    ranged = await said(replica, content=int(content), scope=scope, table="leads")
    assert list(ranged.ranges) == [
        summed([row for row in rows if digests.range_of(row[0]) == part], tables.LEADS, content=content)
        for part in range(digests.RANGES)
    ]


async def test_a_change_without_a_number_yet_counts(make_device: MakeDevice) -> None:
    phone = await make_device()
    before = (await said(phone)).sums[phone.locations[0]]
    await new_lead(phone)

    after = (await said(phone)).sums[phone.locations[0]]

    assert ("leads" in before, after["leads"][0]) == (False, 1)


async def test_contents_that_differ_at_the_same_version_are_found(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    lead_id = await new_lead(phone)
    plain, whole = await said(phone), await said(phone, content=1)

    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # no trigger sees it
        await connection.execute("UPDATE leads SET name = 'rotten' WHERE id = $1", lead_id)

    assert (await said(phone)).sums == plain.sums
    assert (await said(phone, content=1)).sums != whole.sums


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("digests", {"table": "leads"}, 422),
        ("digests", {"scope": "HERE", "table": "users"}, 422),
        ("rows", {"scope": "HERE", "table": "access_tokens", "ranges": "00"}, 422),
        ("rows", {"scope": "HERE", "table": "leads", "ranges": "xx"}, 422),
        ("rows", {"scope": "HERE", "table": "leads", "ranges": "100"}, 422),
        ("rows", {"scope": "", "table": "leads", "ranges": "00"}, 422),
        ("rows", {"scope": "' OR 1=1 --", "table": "leads", "ranges": "00"}, 403),
        ("digests", {"scope": "018f0000-0000-7000-8000-000000000001"}, 403),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    make_device: MakeDevice, path: str, params: dict[str, str], status: int
) -> None:
    phone = await make_device()
    params = {name: value.replace("HERE", phone.locations[0]) for name, value in params.items()}

    answer = await phone.client.get(f"/api/sync/{path}", params=params, headers=phone.headers)

    assert answer.status_code == status
    assert answer.json()["message"]
