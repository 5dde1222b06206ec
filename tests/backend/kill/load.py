"""Clients as they should be: one sends until "stored" comes back, the other watches a live channel and resumes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from domain import ids
from tests.backend.kill.installation import Installation

A_BATCH = 40
PAUSE = 0.05
LONGEST_REQUEST = 8.0


@dataclass(slots=True, kw_only=True)
class Sender:
    """Posts batch after batch; the same again until every event of it is stored."""

    at: Installation
    dice: random.Random
    sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was acknowledged, by event id."""
    repeats: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)
    """When something was acknowledged, by the monotonic clock."""

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            batch = [self._event() for _ in range(A_BATCH)]
            body = orjson.dumps(batch)
            while not await self._stored(body):
                self.repeats += 1
                await asyncio.sleep(0.1)
            self.sent |= {event["event_id"]: event for event in batch}
            self.moments.append(time.monotonic())
            await asyncio.sleep(PAUSE)

    async def _stored(self, body: bytes) -> bool:
        """A connection each time: a worker that died must not be asked again."""
        headers = {"Content-Type": "application/json", "X-API-Key": self.at.key}
        try:
            async with httpx.AsyncClient(timeout=LONGEST_REQUEST) as client:
                answer = await client.post(f"{self.at.url}/api/events?wait=5", content=body, headers=headers)
        except httpx.HTTPError as fault:
            self._count(type(fault).__name__)
            return False
        self._count(str(answer.status_code))
        if answer.status_code in (200, 202):
            assert answer.json()["rejected"] == [], answer.text[:500]
        return answer.status_code == 200 and bool(answer.json()["stored"])

    def _count(self, what: str) -> None:
        self.answers[what] = self.answers.get(what, 0) + 1

    def _event(self) -> dict[str, Any]:
        moment = datetime.now(UTC) - timedelta(seconds=self.dice.random() * 60)
        common = {
            "event_id": ids.new_id(),
            "occurred_at": moment.isoformat(),
            "location_id": self.at.location,
        }
        lead = str(UUID(int=0xB000 + self.dice.randrange(50)))
        match self.dice.randrange(5):
            case 0:
                deal = str(UUID(int=0xD000 + self.dice.randrange(20)))
                stage = self.dice.choice(["new", "qualified", "offer", "contract", "lost"])
                held = {
                    "stage": stage,
                    "side_held": "listing",
                    "price_cents": self.dice.randrange(10**8),
                    "rate_bp": 300,
                }
                return {
                    "stream": "commission_events",
                    "event_type": "deal_state",
                    "deal_id": deal,
                    **held,
                    **common,
                }
            case 1 | 2:
                kind = self.dice.choice(["turn", "scored", "error"])
                said = {"bot_id": "lead-bot", "event_type": kind, "processing_ms": self.dice.randrange(1, 90)}
                return {"stream": "bot_performance", **said, **common}
        kind = self.dice.choice(["message", "call", "visit"])
        return {
            "stream": "lead_interactions",
            "event_type": kind,
            "lead_id": lead,
            "direction": "inbound",
            **common,
        }


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Looks at all channels; where its line is cut it comes back with the points it had reached."""

    at: Installation
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """The channel `analytics` as told so far: by location and window."""
    data: dict[str, Any] = field(default_factory=dict)
    """The other channels, as told last."""
    lines: int = 0
    resumed: int = 0
    snapshots: int = 0
    updates: int = 0
    faults: list[str] = field(default_factory=list)
    """What must not be: an offset that goes back or stays within an epoch, an update of an epoch that no snapshot began."""

    async def run(self) -> None:
        while True:
            try:
                await self._line()
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                pass
            await asyncio.sleep(0.2)

    async def _line(self) -> None:
        path = f"{self.at.ws_url}/ws/business-intelligence/all"
        async with connect(path, max_size=None, open_timeout=10) as socket:
            self.lines += 1
            resume = [{"channel": channel, **point} for channel, point in self.points.items()]
            await socket.send(orjson.dumps({"token": self.at.token, "resume": resume}).decode())
            async for text in socket:
                self._heard(orjson.loads(text))

    def _heard(self, frame: dict[str, Any]) -> None:
        kind, channel = frame["type"], frame.get("channel", "")
        if kind not in ("snapshot", "update", "resumed"):
            return
        known = self.points.get(channel)
        if kind != "snapshot":
            self._check(channel, known, frame)
        self.points[channel] = {
            name: frame[name] for name in ("epoch", "offset", "timeframe") if frame.get(name) is not None
        }
        if kind == "resumed":
            self.resumed += 1
            self.points[channel]["offset"] = known["offset"] if known else frame["offset"]
            return
        self.snapshots += kind == "snapshot"
        self.updates += kind == "update"
        if channel == "analytics":
            self._keep(frame["data"], whole=kind == "snapshot")
        else:
            self.data[channel] = frame["data"]

    def _check(self, channel: str, known: Mapping[str, Any] | None, frame: Mapping[str, Any]) -> None:
        if known is None or known["epoch"] != frame["epoch"]:
            self.faults.append(f"{channel}: {frame['type']} of an epoch that no snapshot began")
        elif frame["type"] == "update" and frame["offset"] <= known["offset"]:
            self.faults.append(f"{channel}: offset {frame['offset']} after {known['offset']}")

    def _keep(self, data: Any, *, whole: bool) -> None:
        if whole:
            self.rows.clear()
        for row in _rows(data):
            self.rows[(row["location_id"], row["window"])] = row["values"]


def _rows(data: Any) -> list[dict[str, Any]]:
    found = data.get("rows", data) if isinstance(data, dict) else data
    return [row for row in (found.values() if isinstance(found, dict) else found) if isinstance(row, dict)]
