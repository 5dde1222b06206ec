"""The server's list of devices, asked each time somebody looks: it is about others, and is not kept here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import values
from sync import answers, client

PATH = "/api/sync/devices"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One device. `behind`: changes that it has not fetched; `error`: the code of its last refusal."""

    id: str
    person: str
    schema: int
    loading: bool
    error: str
    seen_at: datetime | None
    behind: int
    waiting: int
    parked: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceList:
    line: client.Client

    async def fetch(self) -> tuple[DeviceLine, ...]:
        """Raises: NetworkError, AccessError."""
        answer = await self.line.get_json(PATH)
        try:
            return tuple(_line(row) for row in answer["devices"])
        except (KeyError, TypeError, ValueError) as fault:
            raise answers.not_ours("no list of devices") from fault


def _line(row: Mapping[str, Any]) -> DeviceLine:
    return DeviceLine(
        id=str(row["device"]),
        person=str(row["name"]),
        schema=int(row["schema"]),
        loading=bool(row["loading"]),
        error=str(row["error"] or ""),
        seen_at=_time(row["last_seen"]),
        behind=int(row["behind"]),
        waiting=int(row["pending"]),
        parked=int(row["parked"]),
        oldest_at=_time(row["oldest_at"]),
    )


def _time(text: str | None) -> datetime | None:
    return values.parse_time(text) if text else None
