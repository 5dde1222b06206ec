"""The channel `alerts`: each event of one is told as it comes; who was away gets those it missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from backend import faults
from backend.faults import FROM_VALKEY
from backend.realtime import messages, resume
from backend.realtime.audience import ALL
from backend.realtime.buckets import NAMES, Priority
from backend.realtime.hub import Message, Subscription
from backend.realtime.members import Group, Point, Stamp
from backend.realtime.resume import Entry
from backend.services.bi import alerts, question
from domain import errors

if TYPE_CHECKING:
    from backend.realtime.audience import Audience, Question
    from backend.realtime.channels import Kind, Sources
    from backend.realtime.frames import Frame

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
_REREAD: Mapping[str, Any] = {}
"""No alert: a wish to look what is stored."""


class AlertGroup(Group):
    """Not a state: nothing is left out. The ring of events in Valkey is shared by all processes."""

    def __init__(self, sources: Sources, kind: Kind, audience: Audience, question: Question) -> None:
        super().__init__(sources, kind, audience, question)
        self._epoch = ""
        self._ring: dict[str, Entry] = {}
        self._open: dict[str, Mapping[str, Any]] = {}
        self._ready = False
        self._mailbox: Subscription | None = None

    @property
    def point(self) -> Point:
        return Point(self._epoch, max((entry.offset for entry in self._ring.values()), default=0))

    @property
    def ready(self) -> bool:
        return self._ready

    def touch(self) -> None:
        if self._mailbox is not None:
            self._mailbox.put(Message(channel=alerts.CHANNEL, payload=_REREAD), "reread")

    def greeting(self, point: Point | None) -> Sequence[Frame]:
        """The open alerts; or the events since `point`, all in one: cut in between, some would be missed."""
        if point is None or not self._covers(point):
            shown = [orjson.dumps({"event": "open", "alert": alert}) for alert in self._open.values()]
            return (self._told(messages.Snapshot, shown),)
        self.deps.live.resumed += 1
        resumed = self.resumed(point.offset)
        return (resumed, self.frame(point.offset)) if point.offset < self.offset else (resumed,)

    def frame(self, since: int) -> Frame:
        """All after `since` in one; events that come are told one by one."""
        found = [entry.item for entry in sorted(self._ring.values()) if entry.offset > since]
        return self._told(messages.Update, found)

    async def run(self) -> None:
        with self.deps.hub.subscribe(alerts.CHANNEL, self.audience.locations) as self._mailbox:
            await self._remember()
            while True:
                try:
                    async with asyncio.timeout(LONGEST_PAUSE if self._ready else 1.0):
                        said = (await self._mailbox.get()).payload
                except TimeoutError:
                    said = _REREAD
                await (self._hear(said) if said else self._reread())

    async def _remember(self) -> None:
        """What was told before, and what is open."""
        try:
            self._epoch = await resume.epoch(self.deps)
            for entry in await resume.recent(self.deps, [*self.audience.locations, ALL]):
                self._ring[entry.event_id] = entry
        except FROM_VALKEY as fault:
            logger.warning("live.no_ring", extra={"fault": type(fault).__name__})
        await self._reread()

    async def _reread(self) -> None:
        """What is stored is the truth: tell what was not heard of."""
        try:
            found = {alert["alert_id"]: alert for alert in await self._stored()}
        except (*faults.UNAVAILABLE, OSError, errors.JorgeError) as fault:
            self.deps.live.failed[self.kind.name] += 1
            logger.warning("live.waits", extra={"channel": self.kind.name, "fault": type(fault).__name__})
            return
        before, self._open = self._open, found
        if not self._ready:
            self._ready = True
            offset, now = self.offset, asyncio.get_running_loop().time()
            await self.tell(lambda member: member.changed(offset, now))
            return
        for alert_id in found.keys() - before.keys():
            await self._say({"event": "opened", "alert": found[alert_id]})
        for alert_id in before.keys() - found.keys():
            await self._say({"event": "closed", "alert": {**before[alert_id], "status": "closed"}})

    async def _stored(self) -> Sequence[Mapping[str, Any]]:
        places = {office.key: office.id for office in self.audience.offices}
        async with question.opened(self.deps, self.audience.scope) as connection:
            return await alerts.listed(connection, self.deps.clock.now(), places)

    async def _hear(self, said: Mapping[str, Any]) -> None:
        """An event as services/bi/alerts.py publishes it."""
        alert = said.get("alert")
        if not isinstance(alert, Mapping) or "alert_id" not in alert:
            logger.warning("live.no_alert")
            return
        if alert.get("status") == "closed":
            self._open.pop(alert["alert_id"], None)
        else:
            self._open[alert["alert_id"]] = alert
        await self._say(said)

    async def _say(self, said: Mapping[str, Any]) -> None:
        alert = said["alert"]
        event_id = f"{alert['alert_id']}:{said['event']}:{alert.get('severity')}"
        if event_id in self._ring:
            return  # read and heard: told once
        item = orjson.dumps({"event": said["event"], "alert": alert})
        offset = await self._offset(alert.get("location_id") or ALL, event_id, item)
        self._ring[event_id] = Entry(offset, event_id, item)
        while len(self._ring) > resume.RING:
            del self._ring[next(iter(self._ring))]
        frame = self._told(messages.Update, [item])
        priority = _priority(said.get("priority") or alert.get("severity"))
        await self.tell(lambda member: member.told(frame, event_id, priority))

    async def _offset(self, place: str, event_id: str, item: bytes) -> int:
        """Without Valkey the last one: told now, but not again to who is away."""
        try:
            self._epoch = await resume.epoch(self.deps)
            return await resume.add(self.deps, place, event_id, item)
        except FROM_VALKEY as fault:
            logger.warning("live.no_ring", extra={"fault": type(fault).__name__})
            return self.point.offset

    def _covers(self, point: Point) -> bool:
        """Is everything after it still there?"""
        if not self._epoch or point.epoch != self._epoch:
            return False
        first = min((entry.offset for entry in self._ring.values()), default=0)
        return len(self._ring) < resume.RING or point.offset >= first

    def _told(self, kind: type[messages.Snapshot | messages.Update], items: Sequence[bytes]) -> Frame:
        stamp = Stamp(self.deps.clock.now().isoformat(), complete=self._ready)
        return self.prepared(kind, stamp, b'{"alerts":[%b]}' % b",".join(items))


def _priority(said: object) -> Priority:
    """As an alert names it; one that nobody knows is as urgent as the channel."""
    return NAMES.get(str(said), Priority.HIGH)
