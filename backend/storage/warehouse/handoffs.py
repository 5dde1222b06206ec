"""Hand-offs between bots as columns of numbers, the events behind some of them, and conversations that nobody ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.epoch import moment_at
from backend.storage.warehouse import latencies

if TYPE_CHECKING:
    from backend.storage.pool import Connection

IDLE = timedelta(hours=24)
"""A conversation that is silent for longer, and neither qualified nor ended, was left unfinished."""
EXAMPLES = 10
UNKNOWN = -1
Numbers: TypeAlias = NDArray[np.int64]
_NONE: Numbers = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """One hand-off at each place of all columns. `at` in µs since 1970; `confidence_bp` UNKNOWN where none is told.

    `unit` stands for who is handed about: the lead; where an event names none, its conversation; else the event itself.
    """

    at: Numbers
    location: Numbers
    giver: Numbers
    taker: Numbers
    unit: Numbers
    confidence_bp: Numbers


_COLUMNS: Mapping[str, str] = {
    "at": "round(extract(epoch FROM occurred_at) * 1000000)::bigint",
    "location": "location_key::bigint",
    "giver": "bot_key::bigint",
    "taker": "coalesce(to_bot_key, 0)::bigint",
    "unit": "uuid_hash_extended(coalesce(lead_id, conversation_id, event_id), 0)",
    "confidence_bp": f"coalesce(confidence_bp, {UNKNOWN})::bigint",
}


async def passes(connection: Connection, keys: Sequence[int], start: datetime, end: datetime) -> Passes:
    """Those in [start, end), in no order. As columns: row by row they would cost twenty times as much."""
    wanted = ", ".join(f"array_send(array_agg({column})) AS {name}" for name, column in _COLUMNS.items())
    row = await connection.fetchrow(
        f"""SELECT {wanted} FROM fact_bot_performance
             WHERE event_type = 'handoff' AND location_key = ANY($1::int[]) AND occurred_at >= $2 AND occurred_at < $3""",  # noqa: S608 - fixed words
        list(keys),
        start,
        end,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    return Passes(**{name: _numbers(row[name]) for name in _COLUMNS})


Key: TypeAlias = tuple[int, int, int, int]
"""Moment in µs, unit, giver, taker."""


async def events(
    connection: Connection, keys: Sequence[int], moments: Sequence[int]
) -> dict[Key, Mapping[str, Any]]:
    """The hand-offs of these moments (µs since 1970)."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS["at"]} AS at, {_COLUMNS["unit"]} AS unit, event_id, occurred_at, bot_key, to_bot_key, confidence_bp,
                  lead_id, conversation_id, reason
             FROM fact_bot_performance
            WHERE occurred_at = ANY($2::timestamptz[]) AND event_type = 'handoff' AND location_key = ANY($1::int[])""",  # noqa: S608 - fixed words
        list(keys),
        [moment_at(moment) for moment in sorted(set(moments))],
    )
    return {(row["at"], row["unit"], row["bot_key"], row["to_bot_key"] or 0): dict(row) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """One conversation at each place: its id (in two halves), who began it, its last moment in µs since 1970.

    `open`: it neither qualified nor ended.
    """

    high: Numbers
    low: Numbers
    bot: Numbers
    last: Numbers
    open: NDArray[np.bool_]

    def id_of(self, place: int) -> str:
        halves = int(self.high[place]) << 64 | int(self.low[place]) & (1 << 64) - 1
        return str(UUID(int=halves & (1 << 128) - 1))


async def talks(connection: Connection, keys: Sequence[int], start: datetime, end: datetime) -> Talks:
    """Conversations whose first reply lies in [start, end)."""
    row = await connection.fetchrow(
        """SELECT array_send(array_agg(conversation_id)) AS id, array_send(array_agg(bot_key::bigint)) AS bot,
                  array_send(array_agg(round(extract(epoch FROM last_at) * 1000000)::bigint)) AS last,
                  array_send(array_agg((qualified_at IS NULL)::int::bigint)) AS unqualified
             FROM fact_bot_conversations WHERE location_key = ANY($1::int[]) AND replied_at >= $2 AND replied_at < $3""",
        list(keys),
        start,
        end,
    )
    ended = await connection.fetchval(
        """SELECT array_send(array_agg(conversation_id)) FROM fact_bot_performance
            WHERE event_type = 'conversation_ended' AND location_key = ANY($1::int[]) AND occurred_at >= $2
              AND conversation_id IS NOT NULL""",
        list(keys),
        start,
    )
    assert row is not None  # an aggregate without GROUP BY always has its row
    high, low = _halves(row["id"])
    known = np.isin(_mixed(high, low), _mixed(*_halves(ended)))
    return Talks(
        high=high,
        low=low,
        bot=_numbers(row["bot"]),
        last=_numbers(row["last"]),
        open=(_numbers(row["unqualified"]) == 1) & ~known,
    )


async def conversations(connection: Connection, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    """The newest first."""
    rows = await connection.fetch(
        """SELECT conversation_id, lead_id, bot_key, replied_at, last_at FROM fact_bot_conversations
            WHERE conversation_id = ANY($1::uuid[]) ORDER BY last_at DESC, conversation_id""",
        list(ids),
    )
    return [dict(row) for row in rows]


_UUIDS = np.dtype([("length", ">i4"), ("high", ">i8"), ("low", ">i8")])
_HEADER = 20


def _halves(sent: bytes | None) -> tuple[Numbers, Numbers]:
    """The binary form of a uuid[], as PostgreSQL sends it."""
    if sent is None:
        return _NONE, _NONE
    found = np.frombuffer(sent, _UUIDS, offset=_HEADER)
    return found["high"].astype(np.int64), found["low"].astype(np.int64)


def _mixed(high: Numbers, low: Numbers) -> Numbers:
    """One number for both halves: equal ids are equal, others differ but for one chance in 2⁶⁴."""
    return np.asarray((high * np.int64(-7046029254386353131)) ^ low, np.int64)


def _numbers(sent: bytes | None) -> Numbers:
    return latencies.decoded(sent) if sent is not None else _NONE
