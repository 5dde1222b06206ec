"""A group and its members: what connections and the makers of frames know of each other."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from backend.realtime import frames, messages

if TYPE_CHECKING:
    from backend.realtime.audience import Audience, Question
    from backend.realtime.buckets import Priority
    from backend.realtime.channels import Kind, Sources
    from backend.realtime.frames import Frame

BREATH = 256
"""Members are told so many at a time; then others get a turn."""


@dataclass(frozen=True, slots=True)
class Point:
    """How far a client got in a channel."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """When figures were made, and up to when they count events."""

    as_of: str
    watermark: str | None = None
    complete: bool = True


class Member(Protocol):
    """A connection's seat in a group."""

    def changed(self, offset: int, now: float) -> None:
        """The group has something newer than it had: it is at `offset` since `now` (the loop's time)."""

    def told(self, frame: Frame, key: Hashable, priority: Priority) -> None:
        """A message of its own, which is no part of a state."""


class Group(ABC):
    """One audience and its question. Runs from `open` to `close`, while it has members."""

    def __init__(self, sources: Sources, kind: Kind, audience: Audience, question: Question) -> None:
        self.sources = sources
        self.deps = sources.deps
        self.kind = kind
        self.audience = audience
        self.question = question
        self.members: set[Member] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def point(self) -> Point:
        """Where it is."""

    @property
    def offset(self) -> int:
        return self.point.offset

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Is there something to show?"""

    @abstractmethod
    def greeting(self, point: Point | None) -> Sequence[Frame]:
        """For a new member: a snapshot, or, from where an earlier line was cut, what it missed."""

    @abstractmethod
    def frame(self, since: int) -> Frame:
        """What changed after the offset `since`."""

    @abstractmethod
    async def run(self) -> None:
        """Until it is cancelled."""

    def open(self) -> None:
        self._task = asyncio.create_task(self.run(), name=f"live.{self.kind.name}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def touch(self) -> None:  # noqa: B027 - only states care
        """Something of its locations changed."""

    async def tell(self, say: Callable[[Member], None]) -> None:
        """Say it to each member, without keeping the others of this process waiting."""
        for number, member in enumerate(tuple(self.members), start=1):
            if member in self.members:
                say(member)
            if number % BREATH == 0:
                await asyncio.sleep(0)

    def prepared(self, kind: type[messages.Snapshot | messages.Update], stamp: Stamp, data: bytes) -> Frame:
        """A frame for all members; `data` is JSON."""
        self.deps.live.made[self.kind.name] += 1
        said = kind(**self._head(), as_of=stamp.as_of, watermark=stamp.watermark, complete=stamp.complete, data=msgspec.Raw(data))  # fmt: skip
        return frames.prepare(messages.encode(said))

    def resumed(self, offset: int) -> Frame:
        """Tells a member that it goes on from there: what it missed since has its own offset, should the line be cut again."""
        return frames.prepare(messages.encode(messages.Resumed(**self._head() | {"offset": offset})))

    def _head(self) -> dict[str, Any]:
        return {
            "channel": self.question.channel,
            "timeframe": self.question.timeframe,
            "component": self.question.component,
            "epoch": self.point.epoch,
            "offset": self.point.offset,
        }
