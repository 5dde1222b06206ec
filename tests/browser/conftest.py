"""The brokerage that the app's browser tests share: started once, each test in an office of its own."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import asyncio as redis

from backend import deps, embedded
from backend.settings import Settings
from tests import engines as shared_engines
from tests.browser import brokerage, harness
from tests.proxy import Proxy
from tests.speech import samples

SPOKEN = samples.DATA / "voice_notes" / "audio" / "n21_slt.flac"
"""“Patricia Oyelaran isn't selling this year. Check back in January.”"""


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Chromium's microphone hears: a real voice, or silence where the real data is absent."""
    wav = tmp_path_factory.mktemp("microphone") / "voice.wav"
    if not SPOKEN.exists():
        return samples.encode(wav, samples.silence(4))
    import soundfile

    mono, rate = soundfile.read(SPOKEN, dtype="int16")
    return samples.encode(wav, mono, rate=rate)


@pytest.fixture(scope="session")
async def firm(
    engines: embedded.Engines,
    database_template: str,
    spoken: Path,
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[brokerage.Brokerage]:
    """The brokerage, running."""
    scratch = tmp_path_factory.mktemp("brokerage")
    name = f"browser_{uuid.uuid4().hex}"
    await shared_engines.copy(engines, database_template, name)
    told = {"database_url": engines.database_url(name), "redis_url": await _valkey(engines)}
    server = brokerage.Server(
        environment={
            "DATABASE_URL": told["database_url"],
            "REDIS_URL": told["redis_url"],
            "JORGE_DATA_DIR": str(scratch / "server"),
        },
        log=scratch / "server.log",
    )
    settings = Settings.model_validate({**told, "data_dir": scratch / "server"})
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(shared_engines.drop, engines, name)
        opened = await stack.enter_async_context(deps.open_deps(settings, channel_prefix=name))
        await server.start()
        stack.push_async_callback(server.stop)
        yield brokerage.Brokerage(
            server=server,
            deps=opened,
            field=await stack.enter_async_context(brokerage.site(server.port, scratch / "field")),
            desk=await stack.enter_async_context(brokerage.site(server.port, scratch / "desk")),
            running=await stack.enter_async_context(harness.browser(microphone=spoken)),
            scratch=scratch,
        )


async def _valkey(engines: embedded.Engines) -> str:
    """A number that no other run of the tests has."""
    async with redis.Redis.from_url(engines.redis_url(0)) as counting:
        return engines.redis_url(await counting.incr("tests:valkey_number") % 4095 + 1)


@pytest.fixture(autouse=True)
def _whole_network(request: pytest.FixtureRequest) -> None:
    """A test that failed with the network cut leaves no other without one."""
    if "firm" in request.fixturenames:
        running: brokerage.Brokerage = request.getfixturevalue("firm")
        for net in (running.field.net, running.desk.net):
            assert isinstance(net, Proxy)
            net.lead_to("127.0.0.1", running.server.port)
            net.heal()
