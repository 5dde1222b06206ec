"""Clients of Valkey that can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from redis import asyncio as redis
from redis.asyncio.connection import AbstractConnection


class _Cancellable(AbstractConnection):
    """A connection that loses no cancellation.

    redis-py sends every command inside `asyncio.wait_for`. Up to Python 3.11 that returns the result, and drops the
    cancellation, where both come in the same turn of the loop; of twenty jobs that read on and on, about three outlived
    their cancellation that way, and an `asyncio.timeout` around a command may pass unheard. A cancellation that was asked
    for while the command was sent, and did not come out of it, is therefore raised here. `tests/backend/test_valkey_client.py`
    shows both, with and without.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        task = asyncio.current_task()
        asked = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task is not None and task.cancelling() > asked:
            await self.disconnect(nowait=True)  # nobody will read the answer
            raise asyncio.CancelledError


class _Tcp(_Cancellable, redis.Connection):
    pass


class _Tls(_Cancellable, redis.SSLConnection):
    pass


class _Socket(_Cancellable, redis.UnixDomainSocketConnection):
    pass


def _cancellable(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """What to use instead of what redis-py chose for the URL."""
    return {redis.SSLConnection: _Tls, redis.UnixDomainSocketConnection: _Socket}.get(kind, _Tcp)


class Pool(redis.ConnectionPool):
    def __init__(self, connection_class: type[AbstractConnection] = redis.Connection, **options: Any) -> None:
        super().__init__(connection_class=_cancellable(connection_class), **options)


class WaitingPool(redis.BlockingConnectionPool):
    """Where all connections are busy one waits `timeout` seconds for the next."""

    def __init__(self, connection_class: type[AbstractConnection] = redis.Connection, **options: Any) -> None:
        super().__init__(connection_class=_cancellable(connection_class), **options)


def open_client(url: str, **options: Any) -> redis.Redis:
    """Connects when it is first used. `options`: redis-py's for connections. Raises: ValueError for a URL that is none."""
    return redis.Redis.from_pool(Pool.from_url(url, **options))
