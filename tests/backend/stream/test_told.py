"""Caches hear of whatever is stored, sooner or later: Valkey, or who had to tell, may die between commit and telling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest

from backend.cache.answers import Answers, Ask, Made
from backend.cache.spans import Span
from backend.cache.versions import HASH
from backend.deps import Deps
from backend.stream import consumer, entries, ingest, sink
from backend.stream.from_sync.owing import UNTOLD, Owed
from tests.backend.cache.conftest import opened
from tests.backend.storage.warehouse import events
from tests.backend.stream import mortal as mortals
from tests.backend.stream.mortal import Mortal
from tests.backend.stream.sinking import add, running, settled
from tests.waiting import running as going_on
from tests.waiting import until

pytestmark = pytest.mark.anyio

TAGS = {"loc:-1:d:20261122", "loc:3:stock"}


@pytest.fixture
def yesterday() -> datetime:
    return events.now() - timedelta(days=1)


@pytest.fixture
def mortal() -> Iterator[Mortal]:
    """It comes back with what it held, answers and versions alike."""
    with mortals.opened(durable=True) as made:
        yield made


@pytest.fixture
def redis_url(mortal: Mortal) -> str:
    return mortal.running.url()


@asynccontextmanager
async def asking(deps: Deps) -> AsyncIterator[Answers]:
    """What a process that answers knows of versions, over the channel that the sink tells on."""
    async with opened(deps) as answers:
        answers.versions.channel = deps.channel(entries.TOUCHED)
        yield answers


async def counted(deps: Deps, answers: Answers, hour: datetime) -> tuple[int, bool]:
    """How many facts there are, as an answer about that hour that may be kept; and whether it was."""
    span = Span(places=(-1,), hours=(hour, hour))

    async def make() -> Made:
        return Made(body=b"%d" % await deps.pool.fetchval("SELECT count(*) FROM fact_lead_interactions"))

    answer = await answers.get(Ask(what="count", params={}, fingerprint="all", span=span, closed=True), make)
    return int(answer.body), answer.hit


@pytest.mark.usefixtures("office")
async def test_no_answer_outlives_a_valkey_that_died_between_commit_and_telling(
    deps: Deps, mortal: Mortal, yesterday: datetime
) -> None:
    async with asking(deps) as answers:
        assert [await counted(deps, answers, yesterday) for _ in range(2)] == [(0, False), (0, True)]
        own = sink.open_valkey(deps.redis_url)
        async with consumer.opened(deps.database_url, own) as found:
            await add(deps, events.interaction(occurred_at=yesterday))
            ((_, ((_, fields),)),) = await found.new()
            assert fields
            batch = events.arrived(events.interaction(occurred_at=yesterday), at=events.now())
            await sink.stored(found.connection, batch, months_kept=84)
        line = answers.versions.line
        mortal.kill()
        mortal.start()
        await own.aclose()
        await until(lambda: answers.versions.line > line and answers.versions.known)

        assert await counted(deps, answers, yesterday) == (1, False)
        async with running(deps):
            await until(lambda: settled(deps))
        assert await deps.valkey.hexists(HASH, f"loc:-1:h:{yesterday:%Y%m%d%H}")


async def test_what_a_follower_changed_while_valkey_was_away_is_told_when_it_is_back(
    deps: Deps, mortal: Mortal
) -> None:
    owed = Owed(deps)
    mortal.kill()
    await owed.note(TAGS)
    await owed.tell()
    assert owed.tags == TAGS

    mortal.start()
    await owed.tell()

    assert owed.tags == set()
    assert await deps.valkey.hexists(HASH, "loc:3:stock")


async def test_what_a_follower_that_died_had_not_told_is_told_by_the_next(deps: Deps) -> None:
    await Owed(deps).note(TAGS)  # then it committed, and died

    owed = Owed(deps)
    await owed.inherit()
    await owed.tell()

    assert await deps.valkey.hexists(HASH, "loc:3:stock")
    assert await deps.valkey.exists(UNTOLD) == 0


@pytest.mark.usefixtures("office")
async def test_what_went_past_a_valkey_that_only_took_too_long_is_told_as_well(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, yesterday: datetime
) -> None:
    monkeypatch.setattr(ingest, "_LISTEN_SECONDS", 0.05)
    async with going_on(ingest.run(deps)):
        await until(lambda: "ingest" in deps.gauges)
        deps.line.away_until = asyncio.get_running_loop().time() + 60
        sent = await ingest.send(deps, [events.interaction(occurred_at=yesterday)], source_key=None, wait=5)

        assert sent.stored
        await until(lambda: deps.valkey.hexists(HASH, f"loc:-1:h:{yesterday:%Y%m%d%H}"))


@pytest.mark.usefixtures("office")
async def test_what_was_committed_and_not_answered_is_told_as_well(
    deps: Deps, monkeypatch: pytest.MonkeyPatch, yesterday: datetime
) -> None:
    """PostgreSQL went between its commit and its answer."""
    monkeypatch.setattr(ingest, "_LISTEN_SECONDS", 0.05)
    plain = sink.stored

    async def cut_off(*given: Any, **options: Any) -> NoReturn:
        await plain(*given, **options)
        raise ConnectionResetError

    deps.line.away_until = asyncio.get_running_loop().time() + 60
    monkeypatch.setattr(sink, "stored", cut_off)
    with pytest.raises(ConnectionResetError):
        await ingest.send(deps, [events.interaction(occurred_at=yesterday)], source_key=None, wait=5)

    async with going_on(ingest.run(deps)):
        await until(lambda: deps.valkey.hexists(HASH, f"loc:-1:h:{yesterday:%Y%m%d%H}"))
