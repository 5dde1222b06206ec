"""The database knows numbers and e-mails as the device and the server do."""

from __future__ import annotations

import random

import pytest

from backend.deps import Deps
from domain import duplicates

pytestmark = pytest.mark.anyio

FIELDS = [
    "+15125550147",
    "(512) 555-0147 ext. 12",
    "Cell: 909-555-1005",
    "909-555-1006 / 909-555-1007",
    "９０９－５５５－１００５",
    "909\u2013555\u20131005",
    "٩٠٩ ٥٥٥ ١٠٠٥",
    "H:9095551005W:9095551006x3",
    "+44 20 7946 0958, +1 (909) 555-1005",
    "555-555-5555",
    "909\u200b5551005",
    " Jo@X.com\t",
    "Jo <JO@x.com>, jan@x.com",
    "JÖ@x.com",
    "no e-mail",
    "@",
    "",
]
PARTS = [
    *"0123456789",
    *'+-()./ x#,;:<>@[]\\"',
    *("909", "555", "1005", "15125550147", "ext.", "Cell", "jo@x.com", "A@B.C", "é", "K", "İ", "ﬁ", "½"),
    *(
        "\u200b",
        "\u2028",
        "\u00a0",
        "\u3000",
        "\t",
        "\n",
        "\x7f",
        "\x85",
        "－",
        "９",
        "٣",
        "۴",
        "–",
        "•",
        "＠",
        "⑨",
    ),
]


async def test_for_any_field_it_finds_the_same_ways(deps: Deps) -> None:
    chance = random.Random(20)
    fields = FIELDS + [
        "".join(chance.choices(PARTS, k=chance.choice((3, 8, 20, 45, 310)))) for _ in range(3000)
    ]

    found = await deps.pool.fetch(
        "SELECT contact_ways(f, f) AS ways FROM unnest($1::text[]) WITH ORDINALITY AS g (f, n) ORDER BY n",
        fields,
    )

    differ = [
        (field, row["ways"], ways)
        for field, row in zip(fields, found, strict=True)
        if set(row["ways"]) != set(ways := duplicates.ways({"phone": field, "email": field}))
    ]
    assert differ == []


async def test_nothing_is_found_where_nothing_is_said(deps: Deps) -> None:
    assert await deps.pool.fetchval("SELECT contact_ways(NULL, NULL)") == []


async def test_it_finds_leads_by_an_index(deps: Deps) -> None:
    async with deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(
            "EXPLAIN SELECT id FROM leads WHERE (phone IS NOT NULL OR email IS NOT NULL)"
            " AND contact_ways(phone, email) && $1::text[]",
            ["+15125550147"],
        )

    assert "leads_by_ways" in "\n".join(row[0] for row in plan)


async def test_what_keeps_the_index_up_finds_its_functions(deps: Deps) -> None:
    await deps.pool.execute(
        "INSERT INTO locations (id, name) VALUES (gen_random_uuid(), 'Upland') ON CONFLICT DO NOTHING;"
        "INSERT INTO leads (id, location_id, created_at, kind, stage, name, phone, email)"
        " SELECT gen_random_uuid(), id, now(), 'seller', 'new', 'Ana', 'Cell: 909-555-1005', ' Jo@x.com'"
        " FROM locations LIMIT 1"
    )

    for maintenance in (
        "ANALYZE leads",
        "VACUUM leads",
        "REINDEX TABLE leads",
        "CLUSTER leads USING leads_pkey",
    ):
        await deps.pool.execute(maintenance)
