"""News for open sockets: `publish` on one server process, `subscribe` on any of them.

A message is a hint or a picture of the moment; nothing depends on it: what must arrive travels by the feed.
Valkey's pub/sub carries messages between processes; without Valkey each process still tells its own sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from redis import asyncio as redis

from backend import faults

logger = logging.getLogger(__name__)

MOST_WAITING = 256
LONGEST_PUBLISH = 1.0
DEAF_SECONDS = 2.0
EVERYWHERE = "*"
"""The scope of a message that every subscriber of the channel may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    channel: str
    payload: Mapping[str, Any]


class Subscription:
    """One socket's mailbox. Of messages with the same key only the newest waits; one that overflows is `lagging`."""

    def __init__(
        self,
        hub: Hub,
        channel: str,
        scopes: Iterable[str],
        on_news: Callable[[], None] | None = None,
        *,
        of_person: bool = False,
    ) -> None:
        self._hub = hub
        self._on_news = on_news
        self.of_person = of_person
        self.channel = channel
        self.scopes = frozenset(scopes)
        self.lagging = False
        self._waiting: OrderedDict[str, Message] = OrderedDict()
        self._count = 0
        self._news = asyncio.Event()

    async def get(self) -> Message:
        """The next message; waits for one."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popitem(last=False)[1]

    def close(self) -> None:
        self._hub.drop(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def may_see(self, scopes: frozenset[str]) -> bool:
        return EVERYWHERE in scopes or EVERYWHERE in self.scopes or not self.scopes.isdisjoint(scopes)

    def put(self, message: Message, key: str) -> None:
        """Never waits: a slow reader loses messages (and is told so by `lagging`), never slows the others."""
        self._count += 1
        name = f"={key}" if key else f"#{self._count}"
        self._waiting.pop(name, None)
        self._waiting[name] = message
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
            self.lagging = True
        self._news.set()
        if self._on_news is not None:
            self._on_news()


class Hub:
    """Who listens to what in this process, and the line to the other processes (`run` it as one task)."""

    def __init__(self, valkey: redis.Redis, *, line: str = "jorge:hub") -> None:
        self._valkey = valkey
        self._line = line
        self._me = uuid.uuid4().hex
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._written = asyncio.Event()
        self._deaf_until = 0.0

    def subscribe(
        self,
        channel: str,
        scopes: Iterable[str],
        *,
        on_news: Callable[[], None] | None = None,
        of_person: bool = False,
    ) -> Subscription:
        """A mailbox for messages of `channel` that touch one of `scopes`; close it (or use `with`).

        `on_news` is called at each message, for who only wants to know that there was one. `of_person`: a person's
        socket, not a part of the server that listens.
        """
        subscription = Subscription(self, channel, scopes, on_news, of_person=of_person)
        self._subscriptions[channel].add(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        self._subscriptions[subscription.channel].discard(subscription)

    def count(self, channel: str) -> int:
        """People's sockets; the server's own listeners are none."""
        return sum(one.of_person for one in self._subscriptions[channel])

    async def publish(
        self, channel: str, scope: str | Iterable[str], payload: Mapping[str, Any], *, key: str = ""
    ) -> None:
        """Tell every process's subscribers of `channel` that may see `scope` (one, several, or EVERYWHERE).

        A message with a `key` replaces a waiting one of the same key. Never raises: without Valkey, and
        until it is back, only this process's subscribers hear of it.
        """
        scopes = frozenset([scope] if isinstance(scope, str) else scope)
        self._deliver(channel, scopes, payload, key)
        now = asyncio.get_running_loop().time()
        if now < self._deaf_until:
            return
        line = orjson.dumps([self._me, channel, sorted(scopes), payload, key])
        try:
            async with asyncio.timeout(LONGEST_PUBLISH):
                await self._valkey.publish(self._line, line)
        except faults.FROM_VALKEY as fault:
            self._deaf_until = now + DEAF_SECONDS  # the publisher has more to do than to wait for Valkey
            logger.warning("hub.no_valkey", extra={"fault": type(fault).__name__})

    def nudge(self) -> None:
        """Something was committed here: the sequencer need not wait for its next look."""
        self._written.set()

    async def nudged(self, timeout: float) -> bool:
        """Wait for a nudge, at most `timeout` seconds; was there one?"""
        try:
            async with asyncio.timeout(timeout):
                await self._written.wait()
        except TimeoutError:
            return False
        self._written.clear()
        return True

    async def run(self) -> None:
        """Hear the other processes until cancelled; reconnects by itself."""
        wait = 0.2
        while True:
            try:
                async with self._valkey.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(self._line)
                    wait = 0.2
                    await self._hear(heard)
            except faults.FROM_VALKEY as fault:
                logger.warning("hub.reconnect", extra={"fault": type(fault).__name__})
            await asyncio.sleep(wait)
            wait = min(wait * 2, 10.0)

    async def _hear(self, heard: redis.client.PubSub) -> None:
        while True:
            message = await heard.get_message(timeout=30.0)
            if message is None:
                await heard.ping()
                continue
            with contextlib.suppress(ValueError, TypeError):
                sender, channel, scopes, payload, key = orjson.loads(message["data"])
                if sender != self._me:
                    self._deliver(channel, frozenset(scopes), payload, key)

    def _deliver(self, channel: str, scopes: frozenset[str], payload: Mapping[str, Any], key: str) -> None:
        message = Message(channel=channel, payload=payload)
        for subscription in tuple(self._subscriptions[channel]):
            if subscription.may_see(scopes):
                subscription.put(message, key)
