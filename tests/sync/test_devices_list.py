"""The server's list of devices, read as it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain import errors, wire
from sync import client, devices_list, session
from tests import fakes

pytestmark = pytest.mark.anyio
ROW: dict[str, Any] = {
    "user_id": "u", "name": "Pat", "device": "d", "schema": 1, "first_seen": "2026-11-20T10:00:00.000Z",
    "last_seen": "2026-11-22T10:00:00.000Z", "last_push": None, "last_pull": None, "seq": 4, "behind": 3,
    "loading": False, "pending": 2, "parked": 1, "oldest_at": None, "error": None, "error_at": None,
}  # fmt: skip


async def ask(body: Any) -> tuple[devices_list.DeviceLine, ...]:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/sync/devices"
        return httpx.Response(200, json=body, headers={wire.PROTOCOL_HEADER: str(wire.PROTOCOL)})

    grant = session.Grant(
        user_id="u", name="", email="", role="manager", location_ids=(), access_token="a", refresh_token="r",
        expires_in=900,
    )  # fmt: skip
    tokens = session.Session(fakes.FakeSecrets(), fakes.FakeClock(), "u")
    await tokens.accept(grant)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as http:
        return await devices_list.DeviceList(line=client.Client(http, tokens)).fetch()


async def test_a_device_is_read_with_what_waits_there() -> None:
    (line,) = await ask({"devices": [ROW]})

    assert (line.person, line.behind, line.waiting, line.parked) == ("Pat", 3, 2, 1)
    assert (line.seen_at, line.oldest_at) == (datetime(2026, 11, 22, 10, tzinfo=UTC), None)


@pytest.mark.parametrize("body", [{}, {"devices": [{}]}, {"devices": [{**ROW, "behind": "?"}]}])
async def test_what_is_no_list_of_devices_is_refused(body: object) -> None:
    with pytest.raises(errors.NotOurServerError):
        await ask(body)
