"""A group that looks at figures: counted once after each change, frames prepared once for all who look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend import faults
from backend.realtime import messages
from backend.realtime.members import Group, Point, Stamp
from backend.realtime.picture import NEVER, Picture
from backend.stream import sequencer
from domain import errors

if TYPE_CHECKING:
    from backend.realtime.audience import Audience, Question
    from backend.realtime.channels import Kind, Sources
    from backend.realtime.frames import Frame

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
RETRY = 2.0
GATHER = 0.03
SHARE = 4
"""Figures that take long are asked for less often: pauses are at least so many times as long."""


class StateGroup(Group):
    """A member that missed frames gets what changed since its own, in one."""

    def __init__(self, sources: Sources, kind: Kind, audience: Audience, question: Question) -> None:
        super().__init__(sources, kind, audience, question)
        assert kind.make is not None
        self._make = kind.make
        self.picture = Picture(keyed=kind.keyed)
        self._frames: dict[int, Frame] = {}
        self._news = asyncio.Event()

    @property
    def point(self) -> Point:
        return Point(self.picture.epoch, self.picture.offset)

    @property
    def offset(self) -> int:
        return self.picture.offset

    @property
    def ready(self) -> bool:
        return self.picture.made is not None

    def touch(self) -> None:
        self._news.set()

    def greeting(self, point: Point | None) -> Sequence[Frame]:
        if point is None or not self.picture.covers(point.epoch, point.offset):
            return (self.frame(NEVER),)
        self.deps.live.resumed += 1
        missed = point.offset < self.picture.offset
        resumed = self.resumed(point.offset)
        return (resumed, self.frame(point.offset)) if missed else (resumed,)

    def frame(self, since: int) -> Frame:
        """The same one for all who are equally far; NEVER: a snapshot."""
        found = self._frames.get(since)
        if found is None:
            made = self.picture.made
            assert made is not None
            stamp = Stamp(made.as_of, made.watermark, made.complete)
            kind = messages.Snapshot if since == NEVER else messages.Update
            found = self._frames[since] = self.prepared(kind, stamp, self.picture.since(since))
        return found

    async def run(self) -> None:
        """After news of these locations, and once a minute (clocks run too): look, and tell the members."""
        if not self.kind.follows_feed:
            await self._looking()
        with self.deps.hub.subscribe(sequencer.CHANNEL, self.audience.locations, on_news=self._news.set):
            await self._looking()

    async def _looking(self) -> None:
        loop, heard = asyncio.get_running_loop(), True
        while True:
            self._news.clear()
            started = loop.time()
            done = await self._look(always=not heard)
            await asyncio.sleep(max(self.kind.pause, SHARE * (loop.time() - started)) if done else RETRY)
            if done:
                heard = await self._hear()

    async def _hear(self) -> bool:
        """Wait for news; False: a minute passed without."""
        try:
            async with asyncio.timeout(LONGEST_PAUSE):
                await self._news.wait()
        except TimeoutError:
            return False
        if self.kind.follows_feed:
            await asyncio.sleep(GATHER)  # one change rarely comes alone
        return True

    async def _look(self, *, always: bool) -> bool:
        """Ask for the figures; False when they can't be had now."""
        try:
            made = await self._make(self.sources, self.audience, self.question)
        except (*faults.UNAVAILABLE, OSError, errors.JorgeError) as fault:
            self.deps.live.failed[self.kind.name] += 1
            logger.warning("live.waits", extra={"channel": self.kind.name, "fault": type(fault).__name__})
            return False
        except (
            Exception
        ):  # a group's loop: one broken round must not leave its members without frames for good
            self.deps.live.failed[self.kind.name] += 1
            logger.exception("live.broke", extra={"channel": self.kind.name})
            return False
        changed = self.picture.keep(made, always=always and not self.kind.keyed)
        self._frames.clear()
        if changed:
            offset, now = self.offset, asyncio.get_running_loop().time()
            await self.tell(lambda member: member.changed(offset, now))
        return True
