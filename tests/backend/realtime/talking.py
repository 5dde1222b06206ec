"""A client of the live channels, as somebody else would write it: the stock `websockets` library and JSON."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.serving import LiveServer


@contextlib.asynccontextmanager
async def opened(
    server: LiveServer, path: str, headers: Mapping[str, str] | None = None, **more: Any
) -> AsyncIterator[ClientConnection]:
    """A socket that is not signed in unless `headers` say who it is."""
    async with connect(server.ws_url + path, additional_headers=headers, **more) as socket:
        yield socket


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def heard(socket: ClientConnection, seconds: float = 10.0) -> dict[str, Any]:
    """The next message."""
    return dict(orjson.loads(await asyncio.wait_for(socket.recv(), seconds)))


async def heard_of(socket: ClientConnection, seconds: float = 10.0, **wanted: Any) -> dict[str, Any]:
    """The next message that says this; others are passed over."""
    async with asyncio.timeout(seconds):
        while True:
            found = dict(orjson.loads(await socket.recv()))
            if all(found.get(name) == value for name, value in wanted.items()):
                return found


async def silence(socket: ClientConnection, seconds: float) -> bool:
    """Does nothing come for so long?"""
    try:
        await asyncio.wait_for(socket.recv(), seconds)
    except TimeoutError:
        return True
    return False


async def closing_code(socket: ClientConnection, seconds: float = 10.0) -> int | None:
    """What the other side closes with; all that comes before is passed over."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code
