"""The audit log: nothing recorded is lost, and whatever is done to it afterwards is found."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import asyncio as redis

from backend.actor import Actor, Role
from backend.deps import Deps
from backend.jobs import audit_writer
from backend.services import audit, audit_proof
from backend.storage import audit as log
from backend.stream import entries
from domain import ids

pytestmark = pytest.mark.anyio

EAST, WEST = "01000000-0000-7000-8000-00000000000a", "01000000-0000-7000-8000-00000000000b"
BOSS = Actor(
    id=ids.new_id(), role=Role.ADMIN, locations=frozenset({EAST, WEST}), device_id="", session_id=ids.new_id()
)


async def fill(deps: Deps, count: int = 30) -> None:
    for n in range(count):
        where = [[EAST], [WEST], [EAST, WEST], []][n % 4]
        await audit.record(
            deps, BOSS, action="see_money", resource="GET /x", location_ids=where, detail={"n": n, "té": "ü"}
        )
    await audit.flush(deps)
    await drain(deps)


async def drain(deps: Deps) -> None:
    await audit_writer.ready(deps)
    while await audit_writer.once(deps):
        pass


async def verified(deps: Deps) -> list[tuple[str, int]]:
    report = await audit_proof.verify(deps.pool, deps.settings.server_dir)
    return [(fault.kind, fault.seq) for fault in report.faults]


async def count(deps: Deps) -> int:
    return int(await deps.pool.fetchval("SELECT count(*) FROM audit_log"))


@pytest.fixture
def tamper(deps: Deps) -> Callable[..., Awaitable[None]]:
    """Somebody who owns the database and switches the guards off."""

    async def change(*statements: str, **names: str) -> None:
        async with deps.pool.acquire() as connection, connection.transaction():
            await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
            for statement in statements:
                await connection.execute(statement.format(east=EAST, west=WEST, **names))
            await connection.execute("ALTER TABLE audit_log ENABLE TRIGGER ALL")

    return change


async def test_what_is_recorded_is_chained_by_location(deps: Deps) -> None:
    await fill(deps)

    assert await count(deps) == 30
    chains = await deps.pool.fetch("SELECT chain, max(seq) AS n FROM audit_log GROUP BY 1")
    assert {row["chain"]: row["n"] for row in chains} == {EAST: 8, WEST: 8, log.COMPANY: 14}
    assert await verified(deps) == []
    assert await deps.valkey.xlen(entries.AUDIT) == 0


async def test_entry_that_comes_twice_is_written_once(deps: Deps) -> None:
    await audit.record(deps, None, action="a", resource="r")
    line = deps.audit.waiting.get_nowait()

    await audit.handed_on(deps, [line, line])
    await drain(deps)
    written = await audit.written(deps, [line])

    assert (await count(deps), written) == (1, 0)


async def test_writers_at_once_keep_one_chain(deps: Deps) -> None:
    for _ in range(40):
        await audit.record(deps, BOSS, action="a", resource="r", location_ids=[EAST])
    lines = deps.audit.rest()

    await asyncio.gather(*(audit.written(deps, lines[n::4]) for n in range(4)))

    assert await count(deps) == 40
    assert await verified(deps) == []


async def test_line_that_nobody_can_read_is_recorded_as_such(deps: Deps) -> None:
    await deps.valkey.xadd(entries.AUDIT, {"entry": b"[1,2"})
    await deps.valkey.xadd(entries.AUDIT, {"other": "x"})

    await drain(deps)

    actions = await deps.pool.fetch("SELECT action FROM audit_log")
    assert [row["action"] for row in actions] == [audit.UNREADABLE] * 2


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET role = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
@pytest.mark.parametrize("role", ["owner", "jorge_audit"])
async def test_nobody_changes_it(deps: Deps, statement: str, role: str) -> None:
    await fill(deps, 2)

    async with deps.pool.acquire() as connection:
        if role != "owner":
            await connection.execute(f"SET ROLE {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.execute("RESET ROLE")

    assert await count(deps) == 2


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_log SET role = 'agent' WHERE chain = '{east}' AND seq = 3", [("edited", 3)]),
        ("UPDATE audit_log SET detail = '{{\"n\": 1}}' WHERE chain = '{east}' AND seq = 3", [("edited", 3)]),
        (
            "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE chain = '{east}' AND seq = 3",
            [("edited", 3)],
        ),
        ("DELETE FROM audit_log WHERE chain = '{east}' AND seq IN (3, 4)", [("deleted", 3)]),
        ("DELETE FROM audit_log WHERE chain = '{east}' AND seq = 1", [("deleted", 1)]),
        ("DELETE FROM audit_log WHERE chain = '{east}' AND seq > 6", [("truncated", 7)]),
        ("DELETE FROM audit_log WHERE chain = '{east}'", [("truncated", 1)]),
    ],
)
async def test_tampering_is_found_and_named(
    deps: Deps, tamper: Callable[..., Awaitable[None]], statement: str, found: list[tuple[str, int]]
) -> None:
    await fill(deps)
    await audit_proof.sign(deps)

    await tamper(statement)

    assert await verified(deps) == found


async def test_rows_that_changed_places_are_found(deps: Deps, tamper: Callable[..., Awaitable[None]]) -> None:
    await fill(deps)

    await tamper(
        "UPDATE audit_log SET seq = 1000 WHERE chain = '{east}' AND seq = 3",
        "UPDATE audit_log SET seq = 3 WHERE chain = '{east}' AND seq = 5",
        "UPDATE audit_log SET seq = 5 WHERE chain = '{east}' AND seq = 1000",
    )

    assert {("reordered", 3), ("reordered", 5)} <= set(await verified(deps))


async def test_chain_that_was_counted_anew_is_found_by_its_signed_head(
    deps: Deps, tamper: Callable[..., Awaitable[None]]
) -> None:
    await fill(deps, 1)
    await audit_proof.sign(deps)
    link = (await _links(deps))[0]
    changed = dataclasses.replace(link.entry, role="agent")
    forged = log.hashed(link.prev, link.chain, link.seq, changed).hex()

    await tamper("UPDATE audit_log SET role = 'agent', hash = '\\x{forged}'", forged=forged)

    assert await verified(deps) == [("rewritten", 1)]


async def test_end_cut_off_in_the_table_and_its_heads_is_found_by_the_file(
    deps: Deps, tamper: Callable[..., Awaitable[None]]
) -> None:
    await fill(deps)
    await audit_proof.sign(deps)

    await tamper(
        "ALTER TABLE audit_heads DISABLE TRIGGER ALL",
        "DELETE FROM audit_heads",
        "DELETE FROM audit_log WHERE chain = '{west}'",
    )

    assert await verified(deps) == [("truncated", 1)]


async def test_head_with_a_false_signature_is_found(deps: Deps) -> None:
    await fill(deps, 4)
    await audit_proof.sign(deps)
    await deps.pool.execute(
        "INSERT INTO audit_heads SELECT chain, 99, hash, signed_at, mac FROM audit_heads WHERE chain = $1",
        EAST,
    )

    assert await verified(deps) == [("forged", 99)]


async def test_without_valkey_it_goes_straight_into_the_table(deps: Deps) -> None:
    away = dataclasses.replace(deps, valkey=_nobody())
    await audit.record(away, BOSS, action="a", resource="r")

    await audit.flush(away)

    assert await count(deps) == 1
    await away.valkey.aclose()


async def test_what_a_stopping_server_cannot_hand_on_waits_in_a_file(deps: Deps) -> None:
    lost = await asyncpg.create_pool(deps.database_url, min_size=0, max_size=1)
    await lost.close()
    cut = dataclasses.replace(deps, valkey=_nobody(), pool=lost)
    await audit.record(cut, BOSS, action="kept", resource="r", detail={"text": "two\nlines"})

    await audit.spool(cut)
    assert await count(deps) == 0
    await audit.unspool(deps)
    await drain(deps)

    assert await deps.pool.fetchval("SELECT action FROM audit_log") == "kept"
    assert not audit.spool_file(deps).exists()
    await cut.valkey.aclose()


async def test_full_desk_waits_and_loses_nothing(deps: Deps) -> None:
    for _ in range(audit.MOST_WAITING):
        await deps.audit.put(b"x")
    waiting = asyncio.create_task(audit.record(deps, BOSS, action="last", resource="r"))
    await asyncio.sleep(0)

    assert not waiting.done()
    deps.audit.waiting.get_nowait()
    await waiting
    assert deps.audit.waiting.qsize() == audit.MOST_WAITING
    deps.audit.rest()


@given(
    st.builds(
        log.Entry,
        id=st.uuids().map(str),
        at=st.datetimes(timezones=st.just(UTC)),
        actor_id=st.none() | st.uuids().map(str),
        role=st.sampled_from(["admin", "manager"]),
        session_id=st.none(),
        action=st.sampled_from(["a", "b"]),
        outcome=st.just("allowed"),
        resource=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        locations=st.lists(st.uuids().map(str), max_size=3).map(tuple),
        detail=st.just('{"n":1}'),
    )
)
def test_an_entry_travels_unchanged(entry: log.Entry) -> None:
    assert audit.decoded(audit.encoded(entry), entry.at) == entry


async def _links(deps: Deps) -> list[log.Link]:
    async with deps.pool.acquire() as connection, connection.transaction():
        return [link async for link in log.links(connection)]


def _nobody() -> redis.Redis:
    """Valkey where nothing listens."""
    return redis.Redis(host="127.0.0.1", port=1)
