"""Slows guessing down: after a few wrong passwords each further try must wait longer; nobody is locked out."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from domain import errors, ports

FREE_TRIES = 5
FREE_TRIES_PER_ADDRESS = 50
LONGEST_WAIT = 60.0
FORGET_AFTER = 900.0
_MOST_KEYS = 20_000


@dataclass(slots=True, kw_only=True)
class _Failures:
    count: int
    last: float
    until: float


class Throttle:
    """Failed sign-ins by account and address, and by address alone; in this process's memory."""

    def __init__(self, clock: ports.Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, account: str, address: str) -> AsyncIterator[None]:
        """One try at a time, and only where no wait is due: guesses sent at once are counted like any others.

        Raises: TooManyTriesError with the seconds to wait.
        """
        key = _pair(account, address)
        lock = self._turns.get(key) or asyncio.Lock()
        self._turns[key] = lock
        async with lock:
            self.check(account, address)
            yield

    def check(self, account: str, address: str) -> None:
        """Raises: TooManyTriesError with the seconds to wait."""
        now = self._clock.monotonic()
        wait = max(self._until(key) - now for key in (_pair(account, address), _pair("", address)))
        if wait > 0:
            raise errors.TooManyTriesError(
                "Too many wrong passwords.",
                where="login",
                hint=f"Wait {math.ceil(wait)} seconds, then try again.",
                retry_after=math.ceil(wait),
            )

    def failed(self, account: str, address: str) -> None:
        self._count(_pair(account, address), FREE_TRIES)
        self._count(_pair("", address), FREE_TRIES_PER_ADDRESS)

    def succeeded(self, account: str, address: str) -> None:
        self._failures.pop(_pair(account, address), None)

    def _until(self, key: tuple[str, str]) -> float:
        found = self._failures.get(key)
        return found.until if found else -math.inf

    def _count(self, key: tuple[str, str], free: int) -> None:
        now = self._clock.monotonic()
        found = self._failures.pop(key, None)
        if found is None or now - found.last > FORGET_AFTER:
            found = _Failures(count=0, last=now, until=now)
        found.count += 1
        found.last = now
        excess = found.count - free
        found.until = now + min(LONGEST_WAIT, 2.0 ** min(excess, 6)) if excess >= 0 else now
        self._failures[key] = found
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)


def _pair(account: str, address: str) -> tuple[str, str]:
    return account.casefold(), address
