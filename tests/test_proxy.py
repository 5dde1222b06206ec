"""The network that tests cut: it passes, it refuses, it drops, it stalls, it heals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests import proxy

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def echo() -> AsyncIterator[proxy.Proxy]:
    """A server that says everything back, behind a proxy."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(1024):
                writer.write(chunk)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, proxy.Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as net:
        yield net


async def say(net: proxy.Proxy, words: bytes, timeout: float = 2) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", net.port)
    try:
        writer.write(words)
        return await asyncio.wait_for(reader.read(100), timeout)
    finally:
        writer.transport.abort()


async def heard(net: proxy.Proxy) -> bytes:
    """What comes through, where a reset counts as nothing."""
    try:
        return await say(net, b"hello")
    except ConnectionError:
        return b""


async def test_it_passes_both_ways_and_counts() -> None:
    async with echo() as net:
        assert await say(net, b"hello") == b"hello"
        assert (net.bytes_up, net.connections) == (5, 1)


async def test_a_cut_network_refuses_and_a_healed_one_passes() -> None:
    async with echo() as net:
        net.cut()
        assert await heard(net) == b""

        net.heal()
        assert await say(net, b"hello") == b"hello"


async def test_a_cut_ends_what_is_open() -> None:
    async with echo() as net:
        reader, writer = await asyncio.open_connection("127.0.0.1", net.port)
        writer.write(b"a")
        await reader.readexactly(1)

        net.cut()

        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.transport.abort()


async def test_a_dead_spot_is_silent_until_it_heals() -> None:
    async with echo() as net:
        net.stall()
        with pytest.raises(TimeoutError):
            await say(net, b"hello", timeout=0.1)

        net.heal()
        assert await say(net, b"again") == b"again"


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_a_line_is_cut_after_exactly_so_many_bytes(most: int) -> None:
    async with echo() as net:
        net.cut_next(down=most)
        assert await heard_of(net, b"hello") == b"hello"[:most]

        net.cut_next(up=most)
        assert await heard_of(net, b"hello") in (b"", b"hello"[:most])
        assert net.bytes_up == 5 + most
        assert await say(net, b"hello") == b"hello"


async def heard_of(net: proxy.Proxy, words: bytes) -> bytes:
    """All that comes until the line ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", net.port)
    writer.write(words)
    came = b""
    try:
        while chunk := await asyncio.wait_for(reader.read(1), 2):
            came += chunk
    except ConnectionError:
        pass
    writer.transport.abort()
    return came
