"""The server's pokes over WebSocket: "there is news". A hint and no more: cut it, and nothing is lost, only later."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI, WebSocketException

from domain import errors
from sync import client, engine, runner

logger = logging.getLogger(__name__)

PATH = "/ws/sync"
LARGEST = 64 * 1024
SIGN_IN = 4401
"""The server's close code: this access token does not count (any more)."""


def ws_url(base_url: httpx.URL, path: str, params: Mapping[str, str] | None = None) -> str:
    """http → ws, https → wss."""
    scheme = "wss" if base_url.scheme == "https" else "ws"
    return str(base_url.copy_with(scheme=scheme, path=path, params=params or {}))


async def messages(
    line: client.Client, path: str, params: Mapping[str, str] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """What the server says on one socket until it is cut. The token goes in the first message, never in the URL.

    Raises: UnreachableError, AccessError, NetworkError.
    """
    token = line.tokens.access_token() or await line.refresh()
    try:
        async with connect(
            ws_url(line.http.base_url, path, params),
            proxy=None,
            max_size=LARGEST,
            open_timeout=10,
            ping_interval=30,
        ) as socket:
            await socket.send(json.dumps({"token": token}))
            async for frame in socket:
                if (message := _read(frame)) is not None:
                    yield message
    except ConnectionClosed as fault:
        if fault.rcvd and fault.rcvd.code == SIGN_IN:
            line.tokens.drop_access()
        raise _cut(path) from fault
    except (OSError, WebSocketException, InvalidHandshake, InvalidURI) as fault:
        raise _cut(path) from fault


def _cut(path: str) -> errors.UnreachableError:
    return errors.UnreachableError("The live line was cut.", where=path, hint="It comes back by itself.")


def _read(frame: str | bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(frame)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


async def stay_connected(
    once: Callable[[], AsyncGenerator[dict[str, Any], None]],
    hear: Callable[[dict[str, Any]], None],
    *,
    rng: random.Random,
    wanted: Callable[[], bool] = lambda: True,
    urgent: Callable[[], bool] = lambda: False,
    cut: Callable[[], None] = lambda: None,
) -> None:
    """Listen until cancelled; after each cut, which `cut` is told, wait with full jitter."""
    failures = 0
    while True:
        if not wanted():
            failures = 0
            await asyncio.sleep(1.0)
            continue
        if await _hear(once, hear, wanted):
            failures = 0
        failures += 1
        cut()
        await asyncio.sleep(pause(failures, urgent=urgent(), rng=rng))


async def _hear(
    once: Callable[[], AsyncGenerator[dict[str, Any], None]],
    hear: Callable[[dict[str, Any]], None],
    wanted: Callable[[], bool],
) -> bool:
    """One connection, until it is cut or nobody wants it any more; was anything heard?"""
    count = 0

    async def listen() -> None:
        nonlocal count
        async with aclosing(once()) as heard:
            async for message in heard:
                count += 1
                hear(message)

    listening = asyncio.ensure_future(listen())
    try:
        while wanted() and not listening.done():
            await asyncio.wait({listening}, timeout=1.0)
    finally:
        listening.cancel()
        await asyncio.wait({listening})
    if not listening.cancelled() and (fault := listening.exception()) is not None:
        if not isinstance(fault, errors.JorgeError):
            raise fault
        logger.info("nudge.cut", extra={"code": fault.code})
    return count > 0


def pause(failures: int, *, urgent: bool, rng: random.Random) -> float:
    """Seconds until the next try: at most a minute, and at most 8 s while work waits here to be sent."""
    return 0.2 + runner.backoff(min(failures, 3 if urgent else 6), rng=rng)


async def listen(line: client.Client, sync: engine.Engine, *, rng: random.Random | None = None) -> None:
    """Wake the engine at each poke, at each new connection (pokes may have been missed) and at each cut, until cancelled."""

    def hear(message: dict[str, Any]) -> None:
        if "seq" in message or message.get("type") in ("ready", "hello"):
            sync.wake()

    def cut() -> None:
        """The line is gone, or the server: a run finds out, so that nobody is shown "online" for a minute."""
        if sync.status().online:
            sync.wake()

    await stay_connected(
        lambda: messages(line, PATH),
        hear,
        rng=rng or random.Random(),
        wanted=lambda: not (sync.status().forced_offline or sync.status().needs_sign_in),
        urgent=lambda: sync.status().pending > 0,
        cut=cut,
    )
