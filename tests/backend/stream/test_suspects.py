"""What PostgreSQL or the sink itself does not survive stops nobody: the others are stored, and it lies with the dead with its reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from redis import exceptions as redis_errors

from backend.deps import Deps
from backend.events import Event
from backend.storage.warehouse.facts import Arrived, Stored
from backend.stream import batches, consumer, dead, entries, sink, suspects
from backend.stream.groups import Read
from backend.stream.suspects import Bench
from tests.backend.storage.warehouse import events
from tests.backend.stream.sinking import LEADS, add, count, running, settled
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("office")]

_TRIGGER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed WHERE channel = 'poison') THEN
        RAISE EXCEPTION 'no' USING ERRCODE = '{code}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER INSERT ON fact_lead_interactions REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
SELECT bi_follow_triggers();
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(consumer, "BLOCK_MS", 50)


def message(channel: str = "sms") -> Event:
    return events.interaction(occurred_at=events.now(), channel=channel)


async def refuse(deps: Deps, code: str) -> None:
    """From now on PostgreSQL answers an event of the channel `poison` so."""
    await deps.pool.execute(_TRIGGER.format(code=code))


async def lying(deps: Deps) -> Read:
    """What lies in the stream, as a reader gets it."""
    found: Any = await deps.valkey.xrange(LEADS)
    return [(LEADS, found)]


async def letters(deps: Deps) -> list[dead.Letter]:
    return [letter async for letter in dead.newest_first(deps.valkey)]


@pytest.mark.parametrize(("code", "reason"), [("P0001", "not_taken"), ("XX000", "poison")])
async def test_what_a_trigger_refuses_is_buried_and_the_rest_is_stored(
    deps: Deps, code: str, reason: str
) -> None:
    await refuse(deps, code)
    bad = message("poison")
    await add(deps, message(), bad, message())
    await add(deps, message())

    async with running(deps):
        await until(lambda: settled(deps))

    (letter,) = await letters(deps)
    assert (letter.reason, str(bad.event_id) in letter.payload.decode()) == (reason, True)
    assert code in letter.message
    assert await count(deps) == 3


async def test_alone_it_is_held_back_until_another_one_proves_it(deps: Deps) -> None:
    await refuse(deps, "XX000")
    await add(deps, message("poison"))

    async with running(deps):
        await until(lambda: _held(deps, 1))
        assert await letters(deps) == []
        await add(deps, message())
        await until(lambda: settled(deps))
        await until(lambda: _held(deps, 0))

    assert [letter.reason for letter in await letters(deps)] == ["poison"]
    assert await count(deps) == 1


async def test_for_what_passes_nobody_is_blamed_and_the_log_says_it_once(
    deps: Deps, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "LONGEST_PAUSE", 0.05)
    await refuse(deps, "53100")  # the disk is full
    await add(deps, message("poison"), message())

    with caplog.at_level(logging.INFO, "backend.stream.sink"):
        async with running(deps):
            await until(lambda: _delivered(deps, 6))
            assert await letters(deps) == []
            await deps.pool.execute("DROP FUNCTION refuse CASCADE")
            await until(lambda: settled(deps))

    said = [record for record in caplog.records if record.message in ("sink.waits", "sink.goes_on")]
    assert [record.message for record in said] == ["sink.waits", "sink.goes_on"]
    assert vars(said[0])["sqlstate"] == "53100"
    assert await count(deps) == 2


async def _held(deps: Deps, wanted: int) -> bool:
    return "sink" in deps.gauges and deps.gauges["sink"]()["held"] == wanted


async def _delivered(deps: Deps, times: int) -> bool:
    try:
        rows = await deps.valkey.xpending_range(LEADS, entries.SINK_GROUP, min="-", max="+", count=1)
    except redis_errors.ResponseError:
        return False  # there is no group yet
    return bool(rows) and int(rows[0]["times_delivered"]) >= times


class Mortal:
    """Stores into memory, and dies of one event, again and again: so what a sink finds that comes after it is in Valkey alone."""

    def __init__(self, deadly: Event) -> None:
        self.deadly = deadly
        self.stored: list[Event] = []
        self.deaths = 0

    async def __call__(self, some: Sequence[Arrived]) -> list[Stored]:
        told = [one.event for one in some]
        if self.deadly in told:
            self.deaths += 1
            raise suspects.EndedError
        self.stored += told
        return [Stored(new=len(told))]


async def test_an_event_that_ends_the_sink_is_found_by_those_who_come_after_it(deps: Deps) -> None:
    told = [message() for _ in range(5)]
    store = Mortal(told[2])
    await add(deps, *told)
    (batch,) = batches.batches(await lying(deps))

    parts = None
    for _ in range(10):
        try:
            parts = await Bench(valkey=deps.valkey, store=store).take_apart(batch)
            break
        except suspects.EndedError:
            continue

    assert parts is not None
    assert [one.arrived.event for part in parts for one in part.rejected] == [told[2]]
    assert {event.event_id for event in store.stored} == {event.event_id for event in told} - {
        told[2].event_id
    }
    assert store.deaths == 1 + suspects.MOST_ENDS
    assert await deps.valkey.exists(suspects.TRIED) == 0


async def test_where_nothing_else_is_stored_nobody_is_blamed_for_a_connection_that_ends(deps: Deps) -> None:
    store = Mortal(message())
    await add(deps, store.deadly)
    (batch,) = batches.batches(await lying(deps))

    for _ in range(10):
        bench = Bench(valkey=deps.valkey, store=store)
        try:
            assert await bench.take_apart(batch) is None
        except suspects.EndedError:
            continue

    assert store.deaths == 1 + suspects.MOST_ENDS
    bench.prove(events.arrived(message()), [])
    assert await bench.take_apart(batch) is not None


async def test_an_entry_that_nobody_survives_reading_is_buried_unread(deps: Deps) -> None:
    await deps.valkey.xadd(LEADS, {"events": b"[1,2,3]", "source": b"7"})
    (part,) = await lying(deps)
    id = part[1][0][0]
    await deps.valkey.hset(suspects.TRIED, f"lead_interactions {id.decode()} read", str(suspects.MOST_ENDS))

    batch = await Bench(valkey=deps.valkey, store=Mortal(message())).read(part, events.now())

    (letter,) = batch.letters
    assert (letter.reason, letter.payload, letter.source) == ("poison", b"[1,2,3]", 7)
    assert batch.ids[LEADS] == [id]
