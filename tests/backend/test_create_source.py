"""`create-source`, as a person runs it: the key that it prints sends events to the running server, and they are stored."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.backend.events import samples
from tests.backend.test_main import _NEW_USER, Run, address, finished, run

__all__ = ["run"]
pytestmark = pytest.mark.anyio


async def printed(run: Run, *arguments: str) -> str:
    """What the command printed."""
    running = await run("create-source", *arguments)
    out, said = await running.communicate()
    assert running.returncode == 0, said.decode()
    return out.decode()


async def test_the_key_that_is_printed_sends_events_that_are_stored(run: Run) -> None:
    server = await run("serve")
    url = await address(server)
    await finished(await run(*_NEW_USER, JORGE_PASSWORD="long enough"))
    out = await printed(run, "--name", "Lead bot", "--location", "Ontario", "--stream", "lead_interactions")
    key = re.search(r"^jbi_\S+$", out, re.MULTILINE)
    assert key
    assert re.search(
        r'^curl -H "X-API-Key: \$KEY" .+ -d @event.json http://\S+/api/events$', out, re.MULTILINE
    )

    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": key.group()}, timeout=60) as client:
        form = {"username": "ana@brokerage.example", "password": "long enough"}
        office = (await client.post("/api/auth/login", data=form)).json()["user"]["locations"][0]["id"]
        answer = await client.post("/api/events?wait=30", json=[samples.message(location_id=office)])

    assert answer.status_code == 200
    assert answer.json() == {"accepted": 1, "stored": True, "rejected": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--location", "Nowhere"], "no location 'Nowhere'"), (["--stream", "weather"], "no stream 'weather'")],
)
async def test_a_source_that_cannot_be_made_is_told(run: Run, arguments: list[str], message: str) -> None:
    code, said = await finished(await run("create-source", "--name", "x", *arguments))

    assert code == 1
    assert message in said
    assert "Traceback" not in said
