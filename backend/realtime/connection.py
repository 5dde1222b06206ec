"""One signed-in live socket: its seats in groups, what waits for it, and how fast it takes it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from backend.realtime import frames, messages
from backend.realtime.buckets import Priority
from backend.realtime.codes import SLOW
from backend.realtime.mailbox import Mailbox
from backend.realtime.quality import FAIR_BYTES, Quality, judged

if TYPE_CHECKING:
    from backend.actor import Actor
    from backend.realtime.audience import Audience, Question
    from backend.realtime.counters import Counters
    from backend.realtime.frames import Frame
    from backend.realtime.lines import Line
    from backend.realtime.members import Group, Point
    from backend.services.auth import Peer

HOLD_BYTES = 64 * 1024
"""More than this unsent: nothing is written, only the latest of each kept."""
CUT_BYTES = 1024 * 1024
CUT_SECONDS = 10.0
QUALITY = "quality"


class Note:
    """A frame of its own in the mailbox."""

    __slots__ = ("channel", "made")

    def __init__(self, made: Frame, channel: str) -> None:
        self.made = made
        self.channel = channel

    def take(self) -> Frame:
        return self.made


class Seat:
    """The connection's place in a group: how much of it was sent."""

    __slots__ = ("_connection", "_point", "acked", "channel", "group", "priority", "sent")

    def __init__(self, connection: Connection, group: Group, point: Point | None) -> None:
        self._connection = connection
        self.group = group
        self._point = point
        self.sent: int | None = None
        self.acked = 0
        self.channel = group.question.channel
        self.priority = group.kind.priority

    def greet(self) -> None:
        """The first frame, at once: it is what the other side asked for. Later, where there is nothing to show yet."""
        if not self.group.ready:
            return
        for frame in self.group.greeting(self._point):
            self._connection.write(frame, self.channel)
        self.sent, self._point = self.group.offset, None

    def restart(self, point: Point | None) -> None:
        """Asked for once more."""
        self._connection.leave(self)
        self._point, self.sent = point, None
        self.greet()

    def changed(self, offset: int, now: float) -> None:
        if self.sent is None:
            self.greet()
        else:
            self._connection.offer(self, offset, now)

    def told(self, frame: Frame, key: Hashable, priority: Priority) -> None:
        if self.sent is not None:
            self._connection.post((self.channel, key), Note(frame, self.channel), priority)

    def take(self) -> Frame:
        """All that changed since the last one."""
        since, self.sent = self.sent or 0, self.group.offset
        return self.group.frame(since)


class Connection:
    """Everything here runs in the loop and never waits for the other side."""

    __slots__ = ("_counters", "_due", "_loop", "_mailbox", "_stalled", "_timer", "actor", "audience", "checked", "closed", "id", "line", "peer", "place", "proof", "quality", "rtt", "seats")  # fmt: skip

    def __init__(self, *, line: Line, actor: Actor, proof: bytes, place: str, audience: Audience, peer: Peer, limits: Mapping[str, int], counters: Counters) -> None:  # fmt: skip
        self.id = uuid.uuid4().hex[:12]
        self.line = line
        self.actor = actor
        self.proof = proof
        self.place = place
        self.audience = audience
        self.peer = peer
        self.seats: dict[Question, Seat] = {}
        self.quality = Quality.GOOD
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self.checked = self._loop.time()
        self.rtt = 0.0
        self._mailbox: Mailbox[Seat | Note] = Mailbox(limits)
        self._counters = counters
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._stalled: float | None = None

    @property
    def member(self) -> str:
        """In lists of who is present: ids only."""
        return f"{self.actor.id}:{self.id}"

    def offer(self, seat: Seat, offset: int, now: float) -> None:
        """Its group has news up to `offset`: at once where nothing waits, else when its turn comes."""
        if self.closed:
            return
        if self._stalled is None and self._mailbox.straight(seat.priority, now):
            frame = seat.group.frame(seat.sent or 0)
            if self.line.push(frame, HOLD_BYTES) <= HOLD_BYTES:
                seat.sent = offset
                self._count(frame, seat.channel)
                return
        if self._mailbox.put(seat, seat, seat.priority):
            self._counters.coalesced += 1  # it waits already, and will take what is the newest then
        else:
            self._pump(now)

    def post(self, key: Hashable, note: Note, priority: Priority) -> None:
        """Let it go out as soon as its priority allows."""
        if self.closed:
            return
        if priority is not Priority.CRITICAL:
            self._counters.coalesced += self._mailbox.put(key, note, priority)
        elif not self._mailbox.urge(note):
            self.cut()
            return
        self._pump(self._loop.time())

    def say(self, told: messages.Told) -> None:
        """Answer this client, beside the channels."""
        self.write(frames.prepare(messages.encode(told)), "")

    def write(self, frame: Frame, channel: str) -> None:
        """At once, whatever waits: what the other side asked for itself."""
        if not self.closed and self.line.push(frame, CUT_BYTES) >= 0:
            self._count(frame, channel)

    def _pump(self, now: float) -> None:
        """Write what may go now; the rest when its time comes."""
        while self._flows(now):
            item = self._mailbox.take(now)
            if item is None:
                self._later(now)
                return
            self.write(item.take(), item.channel)

    def _count(self, frame: Frame, channel: str) -> None:
        self._counters.delivered[channel] += 1
        self._counters.delivered_bytes += len(frame.body)

    def acked(self, channel: str, offset: int) -> None:
        """The other side showed what it got up to here."""
        for seat in self.seats.values():
            if seat.channel == channel:
                seat.acked = max(seat.acked, min(offset, seat.sent or 0))

    def leave(self, seat: Seat) -> None:
        """Nothing more of it."""
        self._mailbox.drop(seat)

    def check(self, now: float, returns: int) -> None:
        """Once a second or so: does the line flow, and how well?"""
        if self._stalled is not None:
            self._pump(now)
        rtt, unsent = self.line.rtt(), self.line.unsent()
        if rtt != self.rtt:
            self.rtt = rtt
            self._counters.rtts.append(rtt)
        elif not returns and unsent < FAIR_BYTES and self.quality is Quality.GOOD:
            return
        found = judged(rtt=rtt, unsent=unsent, returns=returns)
        if found is not self.quality:
            self.quality = found
            self._mailbox.slow(found is Quality.POOR)
            told = frames.prepare(messages.encode(messages.Quality(quality=found.value)))
            self.post(QUALITY, Note(told, ""), Priority.LOW)

    def cut(self) -> None:
        """Too slow: it gets no more, and others are not kept waiting."""
        self._counters.slow_closes += 1
        self.close(SLOW, "slow")

    def close(self, code: int, reason: str) -> None:
        if not self.closed:
            self.line.hang_up(code, reason)
            self.over()

    def over(self) -> None:
        """The line is gone."""
        if not self.closed:
            self.closed = True
            self._counters.dropped += self._mailbox.waiting
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flows(self, now: float) -> bool:
        if self.closed:
            return False
        unsent = self.line.unsent()
        if unsent <= HOLD_BYTES:
            self._stalled = None
            return True
        if self._stalled is None:
            self._stalled = now
        if unsent > CUT_BYTES or now - self._stalled > CUT_SECONDS:
            self.cut()
        return False

    def _later(self, now: float) -> None:
        wait = self._mailbox.wait()
        if wait is None:
            return
        if self._timer is not None:
            if self._due <= now + wait + 0.01:
                return
            self._timer.cancel()
        self._due = now + wait
        self._timer = self._loop.call_later(wait + 0.001, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._pump(self._loop.time())
