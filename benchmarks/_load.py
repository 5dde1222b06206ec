"""A loader in a process of its own: events of a busy brokerage, as bytes, at a steady rate whatever the server does (open loop).

`xadd`: packs straight into the four streams, as other programs send them. `post`: mixed arrays to POST /api/events, which wait
until they are stored. Of a hundred events 60 are interactions, 35 bots', 5 states of deals and words on the system's health; two of
a hundred come up to 30 s late. The order comes as JSON on stdin, the report goes to stdout.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
import redis

from backend.events import STREAMS
from benchmarks import _ingest
from benchmarks._ingest import World

TICK = 0.05
OFFICES, LEADS, AGENTS, DEALS = 24, 40_000, 240, 20_000
TALKS, TURNS = 2_000, 8
"""Conversations under way, and how many events each has before another takes its place."""
POST_SIZE = 500
MOST_AT_ONCE = 64
DECODED = 10_000
LATE_SHARE, LATE_SECONDS = 0.02, 30.0
MIX = {
    "lead_interactions": 0.60,
    "bot_performance": 0.35,
    "commission_events": 0.025,
    "system_health": 0.025,
}
_BOT_TAILS = (
    *['"turn","replied":true,"success":true,"processing_ms":%d'] * 3,
    *['"turn","replied":false,"processing_ms":%d'] * 3,
    *['"scored","confidence":0.83,"quality":0.7,"processing_ms":%d'] * 4,
    *['"conversation_started"', '"qualified","success":true'],
)


def world() -> World:
    """The same in every process."""
    rng = random.Random(11)

    def ids(count: int) -> list[UUID]:
        return [UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]

    return World(offices=ids(OFFICES), leads=ids(LEADS), agents=ids(AGENTS), talks=(), deals=ids(DEALS))


class Maker:
    """Events as JSON. Everything but ids and moments was written beforehand: a loader that is slower than the server measures itself."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._world = world()
        self._tails = {"lead_interactions": self._leads(), "commission_events": self._deals()}
        self._tails["system_health"] = [
            b'"event_type":"measurement","component":"bench","value":1.5,"unit":"s"}'
        ]
        self._bots = [f'"event_type":{tail}'.replace("%d", str(20 + n)) for n, tail in enumerate(_BOT_TAILS * 4)]  # fmt: skip
        self._talks = [self._talk() for _ in range(TALKS)]

    def events(self, stream: str, count: int) -> list[bytes]:
        """So many of this moment."""
        rng, now = self._rng, time.time()
        head = b'{"stream":"%b","event_id":"' % stream.encode()
        tails = self._tails.get(stream)
        made = []
        for tail in rng.choices(tails, k=count) if tails else self._bot_tails(count):
            at = now - rng.random() * LATE_SECONDS if rng.random() < LATE_SHARE else now
            made.append(b'%b%b","occurred_at":"%b",%b' % (head, self._id(at), _moment(at), tail))
        return made

    def _id(self, at: float) -> bytes:
        """A UUIDv7 of that moment."""
        ms, random_bits = int(at * 1000), self._rng.getrandbits(72)
        return b"%08x-%04x-7%03x-8%03x-%012x" % (
            ms >> 16, ms & 0xFFFF, random_bits & 0xFFF, random_bits >> 12 & 0xFFF, random_bits >> 24
        )  # fmt: skip

    def _bot_tails(self, count: int) -> Sequence[bytes]:
        rng, talks = self._rng, self._talks
        found = []
        for _ in range(count):
            at = int(rng.random() * TALKS)
            found.append(talks[at] + rng.choice(self._bots).encode() + b"}")
            if rng.random() < 1 / TURNS:
                talks[at] = self._talk()
        return found

    def _talk(self) -> bytes:
        rng, world = self._rng, self._world
        lead = int(rng.random() * LEADS)
        return (
            f'"conversation_id":"{UUID(int=rng.getrandbits(128), version=4)}","location_id":"{world.offices[(lead + 1) % OFFICES]}",'
            f'"lead_id":"{world.leads[lead]}","bot_id":"{rng.choice(_ingest.BOTS)}",'
        ).encode()

    def _leads(self) -> Sequence[bytes]:
        rng, world = self._rng, self._world
        return [
            (
                f'"event_type":"{rng.choice(("message", "message", "message", "call", "note", "visit", "stage_changed"))}",'
                f'"location_id":"{world.offices[(n + 1) % OFFICES]}","lead_id":"{lead}","agent_id":"{rng.choice(world.agents)}",'
                f'"channel":"sms","direction":"{rng.choice(("inbound", "outbound"))}","stage":"{rng.choice(_ingest.STAGES)}",'
                f'"temperature":"{rng.choice(_ingest.TEMPERATURES)}","confidence":{rng.random():.3f}'
                + (f',"props":{{"words":{n % 40}}}}}' if n % 10 == 0 else "}")
            ).encode()
            for n, lead in enumerate(world.leads)
        ]

    def _deals(self) -> Sequence[bytes]:
        rng, world = self._rng, self._world
        return [
            (
                f'"location_id":"{world.offices[n % OFFICES]}","deal_id":"{deal}","stage":"{rng.choice(_ingest.STAGES)}",'
                f'"side_held":"{rng.choice(("listing", "buyer", "both"))}","price_cents":{rng.randrange(20_000_000, 90_000_000)}}}'
            ).encode()
            for n, deal in enumerate(world.deals)
        ]


def _moment(at: float) -> bytes:
    return datetime.fromtimestamp(at, UTC).isoformat().encode()


class Pace:
    """How many are due, by the clock and not by what the server manages."""

    def __init__(self, rate: float, seconds: float) -> None:
        self._rate, self._seconds = rate, seconds
        self._began = time.monotonic()
        self.sent: dict[str, int] = dict.fromkeys(MIX, 0)

    def due(self) -> Mapping[str, int]:
        passed = min(time.monotonic() - self._began, self._seconds)
        due = {name: int(passed * self._rate * share) - self.sent[name] for name, share in MIX.items()}
        for name, count in due.items():
            self.sent[name] += count
        return due

    @property
    def over(self) -> bool:
        return time.monotonic() - self._began >= self._seconds + TICK

    @property
    def passed(self) -> float:
        return time.monotonic() - self._began


def xadd(maker: Maker, pace: Pace, url: str) -> None:
    valkey = redis.Redis.from_url(url)
    while not pace.over:
        pipe = valkey.pipeline(transaction=False)
        for name, count in pace.due().items():
            made = maker.events(name, count)
            for begin in range(0, count, POST_SIZE):
                some = made[begin : begin + POST_SIZE]
                pipe.xadd(f"bi:stream:{name}", {"events": b"[" + b",".join(some) + b"]"})
        pipe.execute()
        time.sleep(TICK - pace.passed % TICK)


async def post(maker: Maker, pace: Pace, url: str, key: str) -> Mapping[str, int]:
    """How often each status was answered."""
    answers: dict[str, int] = {}
    room = asyncio.Semaphore(MOST_AT_ONCE)
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    limits = httpx.Limits(max_connections=MOST_AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=60, headers=headers, limits=limits) as client:

        async def send(some: Sequence[bytes]) -> None:
            body = b"[" + b",".join(some) + b"]"
            async with room:
                said = await _posted(client, body) or await _posted(
                    client, body
                )  # a line may just have been idle too long
            answers[said] = answers.get(said, 0) + 1

        async with asyncio.TaskGroup() as sending:
            while not pace.over:
                made = [event for name, count in pace.due().items() for event in maker.events(name, count)]
                for begin in range(0, len(made), POST_SIZE):
                    sending.create_task(send(made[begin : begin + POST_SIZE]))
                await asyncio.sleep(TICK - pace.passed % TICK)
    return answers


async def _posted(client: httpx.AsyncClient, body: bytes) -> str:
    """The status; nothing where the line was cut: then the same may be sent again, and counts once."""
    try:
        return str((await client.post("/api/events", content=body)).status_code)
    except httpx.TransportError:
        return ""


def decode_us(maker: Maker) -> float:
    """CPU of only decoding events of this mix, each once: what every reader of a stream has to spend."""
    gc.disable()  # as good as off in the server
    spent = count = 0.0
    for name, share in MIX.items():
        made = b"[" + b",".join(maker.events(name, int(DECODED * share))) + b"]"
        decoder = msgspec.json.Decoder(list[STREAMS[name]])  # type: ignore[valid-type]
        began = time.process_time()
        count += len(decoder.decode(made))
        spent += time.process_time() - began
    return 1e6 * spent / count


def main() -> None:
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    maker = Maker(os.getpid())
    pace = Pace(order["rate"], order["seconds"])
    answers: Mapping[str, int] = {}
    if order["way"] == "xadd":
        xadd(maker, pace, order["valkey"])
    else:
        answers = asyncio.run(post(maker, pace, order["url"], order["key"]))
    report = {"sent": pace.sent, "seconds": pace.passed, "answers": answers, "decode_us": decode_us(maker)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
