"""What the server's parts need, opened once per process and closed in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis import asyncio as redis

from backend import embedded, faults
from backend.cache.answers import Answers
from backend.cache.asked import Recorder
from backend.cache.tiers import open_tiers
from backend.cache.ttl import Adaptive
from backend.cache.versions import Versions
from backend.cache.warm import Warmer
from backend.clock import SystemClock
from backend.limits import Limits
from backend.observe import Gauges, Watch
from backend.realtime.counters import Counters
from backend.realtime.hub import Hub
from backend.services import audit, receiving
from backend.services.devices import Notes
from backend.services.gate import Gate, gate_for
from backend.services.passwords import Passwords
from backend.services.sources import Known
from backend.services.throttle import Throttle
from backend.settings import Settings
from backend.storage import feed, migrate, pool
from backend.storage.pg_store import PgStores
from backend.storage.pool import Pool
from backend.storage.store import Stores
from backend.stream import entries
from backend.stream.ingest import Line
from backend.valkey_client import open_client
from domain import errors, ports

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Handed to every service and route. `stopping` is set when the server shuts down."""

    settings: Settings
    pool: pool.Pool
    stores: Stores
    valkey: redis.Redis
    clock: ports.Clock
    passwords: Passwords
    throttle: Throttle
    hub: Hub
    receiving: receiving.Doors = field(default_factory=receiving.Doors)
    loads: Gate = field(default_factory=Gate)
    notes: Notes = field(default_factory=Notes)
    sources: Known = field(default_factory=Known)
    line: Line = field(default_factory=Line)
    engines: embedded.Engines | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    channel_prefix: str = ""
    live: Counters = field(default_factory=Counters)
    bi: Pool
    """For questions to the warehouse: a pool of its own, so that heavy ones never keep sync waiting."""
    database_url: str = ""
    redis_url: str = ""
    process: str = "server"
    """Which process of this installation this is: server, api-1, processor, sink …"""
    limits: Limits
    audit: audit.Desk = field(default_factory=audit.Desk)
    watch: Watch = field(default_factory=Watch)
    answers: Answers
    asked: Recorder
    warmer: Warmer
    gauges: dict[str, Gauges] = field(default_factory=dict)
    """Part → a function that answers name → number when GET /metrics asks (`observe`). Put yours in when you start."""

    def channel(self, name: str) -> str:
        """A pub/sub channel of this installation (Valkey's channels ignore database numbers)."""
        return self.channel_prefix + name


@asynccontextmanager
async def open_deps(
    settings: Settings,
    *,
    clock: ports.Clock | None = None,
    channel_prefix: str = "",
    process: str = "server",
) -> AsyncIterator[Deps]:
    """Engines, migrations, pool, Valkey; all closed again at the end. Raises: EngineError."""
    async with contextlib.AsyncExitStack() as stack:
        engines = await open_engines(settings, stack)
        database_url = settings.database_url or (engines.database_url() if engines else "")
        redis_url = settings.redis_url or (engines.redis_url() if engines else "")
        await migrate.migrate(database_url)
        valkey = await _valkey(redis_url)
        stack.push_async_callback(valkey.aclose)
        opened = await pool.open_pool(database_url, size=settings.database_pool)
        stack.push_async_callback(_close_pool, opened)
        bi = await pool.open_pool(database_url, size=settings.bi_pool)
        stack.push_async_callback(_close_pool, bi)
        answers = await _answers(settings, opened, valkey, redis_url, channel_prefix)
        stack.push_async_callback(answers.tiers.close)
        used_clock = clock or SystemClock()
        yield _counted(
            Deps(
                settings=settings,
                pool=opened,
                stores=PgStores(opened),
                valkey=valkey,
                clock=used_clock,
                passwords=Passwords(),
                throttle=Throttle(used_clock),
                hub=Hub(valkey, line=channel_prefix + "hub"),
                loads=gate_for(settings.database_pool),
                channel_prefix=channel_prefix,
                bi=bi,
                database_url=database_url,
                redis_url=redis_url,
                engines=engines,
                process=process,
                answers=answers,
                asked=Recorder(valkey),
                warmer=Warmer(
                    valkey=valkey,
                    interval=settings.bi_cache_warming_interval,
                    threshold=settings.bi_predictive_threshold,
                ),
                limits=Limits(
                    valkey,
                    people=settings.bi_rate_limit,
                    events=settings.bi_event_limit,
                    prefix=channel_prefix,
                ),
            )
        )


async def _answers(
    settings: Settings, opened: pool.Pool, valkey: redis.Redis, redis_url: str, channel_prefix: str
) -> Answers:
    async with opened.acquire() as connection:
        secret = (await feed.head(connection)).secret
    key = hashlib.blake2b(f"answers\n{secret}".encode(), digest_size=32).digest()
    tiers = open_tiers(redis_url, key)
    await tiers.init()
    versions = Versions(valkey, channel_prefix + entries.TOUCHED)
    return Answers(tiers, versions, Adaptive(base=settings.bi_query_ttl_base))


def _counted(made: Deps) -> Deps:
    """With what is counted from the start."""
    pools = {"ordinary": made.pool, "warehouse": made.bi}

    def connections() -> dict[str, float]:
        sizes = {f'connections{{pool="{name}"}}': float(one.get_size()) for name, one in pools.items()}
        idle = {f'idle{{pool="{name}"}}': float(one.get_idle_size()) for name, one in pools.items()}
        return sizes | idle

    made.gauges.update(
        pool=connections,
        ws=made.live.numbers,
        limits=made.limits.numbers,
        audit=made.audit.numbers,
        cache=made.answers.stats.numbers,
    )
    return made


async def open_engines(settings: Settings, stack: contextlib.AsyncExitStack) -> embedded.Engines | None:
    """Engines out of the wheels for those that the settings do not name."""
    if settings.database_url and settings.redis_url:
        return None
    starting = asyncio.create_task(
        asyncio.to_thread(
            embedded.start,
            settings.server_dir,
            with_postgres=not settings.database_url,
            with_valkey=not settings.redis_url,
        )
    )
    try:
        engines = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.to_thread(embedded.release, await starting)
        raise
    stack.push_async_callback(asyncio.to_thread, embedded.release, engines)
    return engines


async def _valkey(url: str) -> redis.Redis:
    try:
        client = open_client(url, health_check_interval=30)
    except ValueError as fault:
        raise _no_valkey(fault) from fault
    try:
        await client.ping()
    except faults.FROM_VALKEY as fault:
        await client.aclose()
        raise _no_valkey(fault) from fault
    return client


def _no_valkey(fault: Exception) -> errors.EngineError:
    return errors.EngineError(
        f"Valkey does not answer: {fault}", where="REDIS_URL", hint="Is it running, and is REDIS_URL right?"
    )


async def _close_pool(opened: pool.Pool) -> None:
    """Wait a moment for queries that still run, then cut them."""
    try:
        async with asyncio.timeout(2):
            await opened.close()
    except TimeoutError:
        opened.terminate()
