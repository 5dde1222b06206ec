"""What processes tell of themselves becomes one page that Prometheus can read."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from redis import asyncio as redis

from backend import observe
from backend.cache.stats import Stats as CacheStats
from backend.deps import Deps
from backend.observe_texts import TEXTS
from backend.realtime import counters as realtime
from backend.services import observing
from backend.services.audit import Desk
from backend.settings import Settings
from backend.stream import sink
from backend.stream.ingest import Line
from backend.stream.windows import counters as windows
from tests.serving import Login, MakeUser

TOKEN = "a token that prometheus has"
ROOT = Path(__file__).parent.parent.parent


def read(page: str) -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_numbers_of_several_processes_stand_side_by_side() -> None:
    one = observe.of_numbers({'sink_lag{stream="x"}': 3, "events_total": 5})
    other = observe.of_numbers({'sink_lag{stream="x"}': 4})

    found = read(observe.page({"api-1": one, "api-2": other, "": observe.of_numbers({"up": 1})}).decode())

    assert found["jorge_sink_lag[('process', 'api-1'), ('stream', 'x')]"] == 3
    assert found["jorge_sink_lag[('process', 'api-2'), ('stream', 'x')]"] == 4
    assert found["jorge_events_total[('process', 'api-1')]"] == 5
    assert found["jorge_up[]"] == 1


def test_part_that_cannot_tell_does_not_silence_the_others() -> None:
    def broken() -> Mapping[str, float]:
        raise ZeroDivisionError

    found = observe.Watch().families({"broken": broken, "whole": lambda: {"fine": 1}})

    assert [family[0] for family in found] == ["jorge_request_seconds", "jorge_whole_fine"]


def helps(page: str) -> dict[str, str]:
    """Family → its HELP line, as Prometheus reads it; a counter's name without `_total`."""
    return {family.name: family.documentation for family in text_string_to_metric_families(page)}


def every_part() -> dict[str, Mapping[str, float]]:
    """What each part can tell, each of its counters at one."""
    live = realtime.Counters()
    for name in (field.name for field in dataclasses.fields(live)):
        if isinstance(counted := getattr(live, name), Counter):
            counted["x"] = 1
    live.rtts.append(0.1)
    stats = CacheStats()
    stats.hit("x", "y")
    return {
        "sink": sink.Counters().named(),
        "windows": windows.Counters().gauges(),
        "ws": live.numbers(),
        "cache": stats.numbers(),
        "ingest": Line().numbers(),
        "audit": Desk().numbers(),
        "limits": dict.fromkeys(("limits_refused_total",), 0.0),
        "pool": {'connections{pool="x"}': 1, 'idle{pool="x"}': 1},
        "feed": {"late": 0},
        "from_sync": {"aside": 0},
    }


def test_every_metric_of_every_part_says_what_it_is() -> None:
    registered = set()
    for file in (ROOT / "backend").rglob("*.py"):
        registered |= set(re.findall(r'\.gauges\["(\w+)"\] =', file.read_text()))
    assert registered
    assert registered <= every_part().keys(), "a part is missing here"

    found = observe.Watch().families({part: dict(told).copy for part, told in every_part().items()})
    page = helps(observe.page({"": found}).decode())

    assert [name for name, text in page.items() if text == name or len(text) < 20] == []
    elsewhere = (
        "stream_",
        "rollup_",
        "warehouse_",
        "valkey_",
        "database_",
        "sync_",
        "first_",
        "devices_",
        "feed_",
    )
    others = {name for name in TEXTS if name.removeprefix("jorge_").startswith(elsewhere)}
    assert set(TEXTS) - set(page) <= others, "a text of a metric that nobody exports"


def test_the_document_of_operations_names_every_metric_and_no_other() -> None:
    """A name that begins with `_` goes on where the one before it began; `…` stands for whatever follows."""
    table = (ROOT / "docs/operations.md").read_text().partition("## Metrics")[2].partition("\n## ")[0]
    patterns: list[str] = []
    for cell in re.findall(r"^\| (`jorge_.+?) \|", table, re.MULTILINE):
        for name in re.findall(r"`(\w+…?)`", cell):
            told = patterns[-1].rpartition("_")[0] + name if name.startswith("_") else name
            patterns.append(told.removesuffix("_total"))

    def covers(pattern: str, name: str) -> bool:
        return name.startswith(pattern[:-1]) if pattern.endswith("…") else name == pattern

    assert [name for name in TEXTS if not any(covers(one, name) for one in patterns)] == []
    assert [one for one in patterns if not any(covers(one, name) for name in TEXTS)] == []


def test_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of a metric"):
        observe.of_numbers({"Ontario office": 1})


@pytest.mark.anyio
async def test_page_has_requests_streams_and_pools(client: httpx.AsyncClient, deps: Deps) -> None:
    await client.get("/health")
    await deps.valkey.xadd("bi:stream:lead_interactions", {"event": "{}"})
    await deps.valkey.xgroup_create("bi:stream:lead_interactions", "sink", id="0")

    page = (await client.get("/metrics")).text
    found = read(page)

    assert [name for name, text in helps(page).items() if text != TEXTS.get(name)] == []
    health = "[('method', 'GET'), ('process', 'server'), ('route', '/health'), ('status', '2xx')]"
    assert found["jorge_request_seconds_count" + health] == 1
    assert found["jorge_stream_lag[('group', 'sink'), ('stream', 'lead_interactions')]"] == 1
    assert found["jorge_pool_connections[('pool', 'warehouse'), ('process', 'server')]"] >= 1
    assert found["jorge_database_up[]"] == found["jorge_valkey_up[]"] == 1


@pytest.mark.anyio
async def test_other_processes_are_on_the_page_until_they_fall_silent(
    client: httpx.AsyncClient, deps: Deps
) -> None:
    other = dataclasses.replace(deps, process="sink", gauges={"sink": lambda: {"rows_total": 7}})
    await observing.tell(other)
    there = (await client.get("/metrics")).text

    await deps.valkey.flushdb()
    gone = (await client.get("/metrics")).text

    assert 'jorge_sink_rows_total{process="sink"} 7.0' in there
    assert "sink_rows" not in gone


@pytest.mark.anyio
async def test_without_valkey_the_page_tells_of_this_process(app: FastAPI, deps: Deps) -> None:
    nobody = redis.Redis(host="127.0.0.1", port=1)
    app.state.deps = dataclasses.replace(deps, valkey=nobody)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://jorge.test") as client:
        found = read((await client.get("/metrics")).text)

    assert found["jorge_valkey_up[]"] == 0
    assert "jorge_audit_waiting[('process', 'server')]" in found
    await nobody.aclose()


@pytest.mark.anyio
async def test_behind_a_proxy_only_administrators_read_it(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login
) -> None:
    manager = await login((await make_user("manager")).email)
    boss = await login((await make_user("admin")).email)
    proxied = {"X-Forwarded-For": "10.0.0.1"}

    answers = [
        await client.get("/metrics", headers=proxied | who) for who in ({}, manager.headers, boss.headers)
    ]

    assert [answer.status_code for answer in answers] == [401, 403, 200]


@pytest.mark.anyio
class TestWithAToken:
    @pytest.fixture
    def server_settings(self, server_settings: Settings) -> Settings:
        return server_settings.model_copy(update={"metrics_token": TOKEN})

    async def test_prometheus_comes_in_with_its_token(self, client: httpx.AsyncClient) -> None:
        proxied = {"X-Forwarded-For": "10.0.0.1"}
        right, wrong = f"Bearer {TOKEN}", f"Bearer {TOKEN}x"

        answers = [
            await client.get("/metrics", headers=proxied | {"Authorization": said}) for said in (right, wrong)
        ]
        nothing_said = await client.get("/metrics")

        assert [answer.status_code for answer in (*answers, nothing_said)] == [200, 401, 401]
