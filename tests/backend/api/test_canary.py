"""Personal data sent in by every door is found nowhere that people other than its owner read: logs, Valkey, metrics, audit, warehouse."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from backend.deps import Deps
from backend.jobs import audit_writer
from backend.services import audit, observing
from tests.backend.api import highlevel
from tests.backend.api.conftest import Bot
from tests.backend.api.highlevel import SECRETS, Crm
from tests.logged import log
from tests.serving import Login, MakeUser

pytestmark = pytest.mark.anyio


NAME, MAIL, PHONE, WORDS = (
    "Zebedee Quagmire",
    "zeb.canary@private.example",
    "909-555-0187",
    "before the divorce",
)
TOKEN = "jbi_" + "Canary7" * 6 + "x"
CANARIES = (NAME, "Quagmire", MAIL, PHONE, WORDS, TOKEN, *SECRETS)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    with log("DEBUG") as stream:
        yield stream


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """With a route whose faults tell what people typed."""

    @app.get("/broken/{kind}")
    async def broken(kind: str) -> None:
        if kind == "row":
            fault = asyncpg.UniqueViolationError(
                f"duplicate key\nDETAIL:  Key (name)=({NAME}) already exists."
            )
            raise fault
        raise ValueError(
            f"1 validation error\n name\n  too long [type=x, input_value='{NAME}', input_type=str] {MAIL}"
        )

    return app


async def in_valkey(deps: Deps) -> AsyncIterator[bytes]:
    """Every key and every value."""
    valkey: Any = deps.valkey
    async for key in valkey.scan_iter():
        yield key
        match (await valkey.type(key)).decode():
            case "string":
                yield await valkey.get(key)
            case "stream":
                yield repr(await valkey.xrange(key)).encode()
            case "hash":
                yield repr(await valkey.hgetall(key)).encode()
            case "zset":
                yield repr(await valkey.zrange(key, 0, -1)).encode()
            case "set":
                yield repr(await valkey.smembers(key)).encode()
            case "list":
                yield repr(await valkey.lrange(key, 0, -1)).encode()


def found(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


async def events_in(bot: Bot) -> None:
    """Right ones, wrong ones, and what is none at all."""
    await bot.send(
        bot.message(),
        bot.message(phone=PHONE, name=NAME),
        bot.message(channel=MAIL * 20),
        bot.message(event_id=NAME),
        bot.turn(reason=NAME * 30),
        NAME,
    )
    await bot.send(content=json.dumps({"name": NAME, "mail": MAIL})[:-2].encode())
    await bot.send(bot.message(), headers={"X-API-Key": TOKEN})
    await bot.send(bot.message(), headers={"Content-Type": f"text/{MAIL}"})


async def questions(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """With personal data where none belongs."""
    for path in ("dashboard-kpis", "revenue-intelligence", "bot-performance", "anomaly-detection"):
        await client.get(f"/api/bi/{path}", params={"location_id": MAIL, "q": NAME}, headers=headers)
    body = {"component": NAME, "metric": PHONE, "timeframe": WORDS, "location_id": MAIL}
    await client.post("/api/bi/drill-down", json=body, headers=headers)
    await client.get(f"/nowhere/{NAME}", params={"phone": PHONE}, headers=headers)
    await client.get("/api/admin/audit", params={"action": MAIL, "before": NAME}, headers=headers)
    await client.post("/api/auth/login", data={"username": MAIL, "password": WORDS})
    await client.get("/api/bi/dashboard-kpis", headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
async def boss(make_user: MakeUser, login: Login) -> dict[str, str]:
    """Headers of an administrator whose address is a canary too."""
    await make_user("admin", [], email="zeb.canary+boss@private.example")
    return (await login("zeb.canary+boss@private.example")).headers


async def test_no_canary_comes_out_anywhere(
    client: httpx.AsyncClient, bot: Bot, crm: Crm, boss: dict[str, str], said: io.StringIO
) -> None:
    deps = crm.deps
    await events_in(bot)
    for payload in (highlevel.contact(), highlevel.inbound(), highlevel.opportunity()):
        await crm.call(payload)
    await crm.call(json.dumps({"firstName": NAME}).encode()[:-1])
    await questions(client, boss)
    for kind in ("row", "value"):
        assert (await client.get(f"/broken/{kind}")).status_code == 500
    await audit.flush(deps)
    await audit_writer.ready(deps)
    while await audit_writer.once(deps):
        pass
    await observing.tell(deps)

    log = said.getvalue()
    assert '"route": "/api/events"' in log
    assert found(log) == []
    assert "zeb.canary" not in log
    kept = b"\n".join([value async for value in in_valkey(deps)]).decode(errors="replace")
    assert "bi:stream:lead_interactions" in kept
    assert found(kept) == []
    assert found((await client.get("/metrics", headers=boss)).text) == []
    rows = await deps.pool.fetch("SELECT a::text AS row FROM audit_log a")
    assert len(rows) > 3
    assert found("\n".join(row["row"] for row in rows)) == []
