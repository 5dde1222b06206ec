"""What lies between a phone and the server, byte by byte, and everything that can go wrong there.

`troubles` are switched on for a while by faults.py. Each request meets at most one of them, chosen by the trouble's own
stream of chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from domain import errors
from tests.simulation.http import (
    Answer,
    Request,
    answer_bytes,
    is_whole_answer,
    is_whole_request,
    request_bytes,
)
from tests.simulation.memory import ServerKilled
from tests.simulation.world import HOUR, SECOND, Event, World

TIMEOUT_MS = 30 * SECOND
Reply = Callable[[Answer | errors.JorgeError], None]
Tap = Callable[[str, Request, Answer], None]
_PORTAL = b"<html><title>Welcome to the hotel</title><body>Please sign in.</body></html>"


class Server(Protocol):
    """The part of a server that a network reaches."""

    def handle(self, request: Request) -> Answer:
        """Raises: ServerKilled."""

    def cut_off(self, request: Request) -> None:
        """Only the beginning of the body arrived."""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """`who`: the phone, or "" for all. `share` of the requests meet it."""

    kind: str
    who: str
    until_ms: int
    rng: random.Random
    share: float = 1.0


@dataclass(slots=True)
class Call:
    """One request under way: it is answered once, by the server or by the time-out."""

    who: str
    request: Request
    reply: Reply
    timeout: Event | None = None
    over: bool = False

    def end(self, said: Answer | errors.JorgeError) -> None:
        if not self.over:
            self.over = True
            if self.timeout:
                self.timeout.drop()
            self.reply(said)


@dataclass(slots=True)
class Traffic:
    """What one phone sent and got, for I11."""

    requests: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Network:
    world: World
    server: Server
    troubles: list[Trouble] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    traffic: dict[str, Traffic] = field(default_factory=dict)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = self.world.rng("network")

    def trouble(self, kind: str, who: str, seconds: float, seed: int, share: float = 1.0) -> None:
        until = self.world.now_ms + int(seconds * SECOND)
        rng = self.world.rng("trouble", kind, seed)
        self.troubles.append(Trouble(kind=kind, who=who, until_ms=until, rng=rng, share=share))

    def quiet(self) -> None:
        """No trouble any more."""
        self.troubles.clear()

    def send(self, who: str, request: Request, reply: Reply) -> None:
        traffic = self.traffic.setdefault(who, Traffic())
        traffic.requests += 1
        traffic.bytes += len(request.body) + len(request.url) + 200
        call = Call(who, request, reply)
        call.timeout = self.world.after(TIMEOUT_MS, lambda: self._lost(call))
        met = self._met(who)
        if met is None:
            self._pass(call)
            return
        self.world.count(f"fault:{met.kind}")
        self.world.note(who, "meets", met.kind, request.method, request.path)
        getattr(self, f"_{met.kind}")(call, met.rng)

    def _met(self, who: str) -> Trouble | None:
        self.troubles = [one for one in self.troubles if one.until_ms > self.world.now_ms]
        for one in self.troubles:
            if one.kind.startswith("poke"):
                continue
            if one.who in ("", who) and one.rng.random() < one.share:
                return one
        return None

    def _latency(self) -> int:
        return self.rng.randrange(5, 150)

    def _deliver(self, call: Call) -> Answer | None:
        """The server does its work. None: it was killed over it."""
        try:
            answer = self.server.handle(call.request)
        except ServerKilled as fault:
            self.world.count(f"fault:server killed {fault}")
            self.world.note("server", "killed", fault)
            self.world.after(self._latency(), lambda: self._lost(call))
            return None
        self.world.note("server", "answers", call.who, call.request.method, call.request.path, answer.status)
        for tap in self.taps:
            tap(call.who, call.request, answer)
        return answer

    def _work(self, call: Call) -> None:
        """Its answer goes nowhere."""
        self._deliver(call)

    def _pass(self, call: Call, up_ms: int | None = None, down_ms: int | None = None) -> None:
        up = self._latency() if up_ms is None else up_ms
        down = self._latency() if down_ms is None else down_ms

        def arrive() -> None:
            answer = self._deliver(call)
            if answer is not None:
                self.world.after(down, lambda: self._answered(call, answer))

        self.world.after(up, arrive)

    def _answered(self, call: Call, answer: Answer) -> None:
        if not call.over:
            self.traffic[call.who].bytes += len(answer.body) + 150
        call.end(answer)

    def _lost(self, call: Call) -> None:
        call.end(errors.UnreachableError("The server can't be reached.", where="network"))

    # Troubles

    def _offline(self, call: Call, rng: random.Random) -> None:
        self.world.after(rng.choice((20, 200, 10 * SECOND)), lambda: self._lost(call))

    def _half_open(self, call: Call, rng: random.Random) -> None:
        """Sent into the void: only the time-out ends it."""

    def _lost_answer(self, call: Call, rng: random.Random) -> None:
        self.world.after(self._latency(), lambda: self._work(call))

    def _cut_request(self, call: Call, rng: random.Random) -> None:
        sent = request_bytes(call.request)
        cut = rng.randrange(len(sent) + 1)
        if is_whole_request(sent[:cut]):
            self.world.after(self._latency(), lambda: self._work(call))
        else:
            self._beginning(call, cut - (len(sent) - len(call.request.body)))
        self.world.after(self._latency() + 200, lambda: self._lost(call))

    def _beginning(self, call: Call, size: int, after_ms: int = 0) -> None:
        """So many bytes of the body arrive, and then nothing."""
        if size > 0:
            some = replace(call.request, body=call.request.body[:size])
            self.world.after(after_ms + self._latency(), lambda: self.server.cut_off(some))

    def _slow_line(self, call: Call, rng: random.Random) -> None:
        """A line of some bytes in a millisecond, as 2G: a large part takes longer than anybody waits."""
        rate = rng.choice((6, 12, 30))
        up_ms = len(call.request.body) // rate
        if up_ms < TIMEOUT_MS:
            self._pass(call, up_ms=up_ms + self._latency())
        else:
            self._beginning(call, TIMEOUT_MS * rate, TIMEOUT_MS)

    def _cut_answer(self, call: Call, rng: random.Random) -> None:
        def arrive() -> None:
            answer = self._deliver(call)
            if answer is None:
                return
            sent = answer_bytes(answer)
            whole = is_whole_answer(sent[: rng.randrange(len(sent) + 1)])
            self.world.after(
                self._latency(), lambda: self._answered(call, answer) if whole else self._lost(call)
            )

        self.world.after(self._latency(), arrive)

    def _drip(self, call: Call, rng: random.Random) -> None:
        """Byte by byte: some answers outlast the patience of the client."""
        self._pass(call, down_ms=rng.randrange(2 * SECOND, 45 * SECOND))

    def _captive(self, call: Call, rng: random.Random) -> None:
        answer = rng.choice(
            (
                Answer(status=200, headers={"content-type": "text/html"}, body=_PORTAL),
                Answer(status=302, headers={"location": "http://portal.example/"}, body=b""),
                Answer(status=200, headers={"content-type": "application/json"}, body=b'{"ok":true}'),
                Answer(status=511, headers={"content-type": "text/html"}, body=_PORTAL),
            )
        )
        self.world.after(self._latency(), lambda: self._answered(call, answer))

    def _storm(self, call: Call, rng: random.Random) -> None:
        status = rng.choice((429, 500, 502, 503, 503))
        headers = {"retry-after": str(rng.choice((1, 5, 30)))} if rng.random() < 0.5 else {}
        body = b"" if rng.random() < 0.5 else b'{"code":"unavailable","message":"Busy.","where":"","hint":""}'
        kind = {"content-type": "application/json" if body else "text/plain"}
        answer = Answer(status=status, headers={**kind, **headers}, body=body)
        self.world.after(self._latency(), lambda: self._answered(call, answer))

    def _duplicate(self, call: Call, rng: random.Random) -> None:
        self._pass(call)
        for _ in range(rng.randrange(1, 4)):
            self._again(call, rng.randrange(1, 5 * SECOND))

    def _late(self, call: Call, rng: random.Random) -> None:
        """The client may have given up, and sent the same again, when it arrives."""
        self._pass(call, up_ms=rng.randrange(SECOND, 90 * SECOND))

    def _replay(self, call: Call, rng: random.Random) -> None:
        self._pass(call)
        self._again(call, rng.randrange(HOUR // 6, HOUR))

    def _swap(self, call: Call, rng: random.Random) -> None:
        """Answers of two requests overtake each other."""
        self._pass(call, up_ms=rng.randrange(3 * SECOND), down_ms=rng.randrange(3 * SECOND))

    def _again(self, call: Call, delay_ms: int) -> None:
        twin = Call(call.who, call.request, lambda _: None, over=True)
        self.world.after(delay_ms, lambda: self._work(twin))
