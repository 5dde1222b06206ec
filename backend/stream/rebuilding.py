"""New windows out of the warehouse, exact to the pane: for a first start, and after Valkey lost what it had.

What the facts hold is counted by the registry's own SQL, in one snapshot of the database; the ids of those events come along, so
that the streams can be read again from wherever the sink was, and nothing counts twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from backend.epoch import micros, moment_at
from backend.metrics import MEASURES, measures
from backend.storage.warehouse import windows as stored
from backend.stream.windows import deals, talks
from backend.stream.windows.contributions import BOT_MEASURES, KINDS, PLACE_MEASURES
from backend.stream.windows.histogram import CELLS
from backend.stream.windows.panes import Ints
from backend.stream.windows.spans import BASE, FUTURE, SECOND, SPANS
from backend.stream.windows.state import Windows
from backend.stream.windows.tables import Key, Table

if TYPE_CHECKING:
    import asyncpg

    from backend.storage.pool import Connection, Pool

MOST_IDS = 1_000_000
"""Of each kind of event. A sender repeats what it sent lately; the streams repeat what the sink has not acknowledged."""


async def rebuilt(pool: Pool, now: int) -> Windows:
    """Raises: what asyncpg raises without PostgreSQL."""
    windows = Windows()
    async with stored.snapshot(pool) as connection:
        windows.locations = await offices(connection)
        until = moment_at(now + FUTURE)
        for stream, moment in (await stored.newest(connection, until)).items():
            newest = micros(moment)
            windows.watermark.heard(stream, newest, min(newest, now))
        windows.advance(now)
        if windows.watermark.at is not None:
            await _fill(windows, connection, until)
    return windows


async def offices(connection: Connection) -> dict[int, int]:
    """UUID as a number → location key."""
    return {UUID(name).int: key for name, key in (await stored.locations(connection)).items()}


async def _fill(windows: Windows, connection: Connection, until: datetime) -> None:
    for number, span in enumerate(SPANS):
        head = windows.places.rings[number].head
        assert head is not None
        since, seconds = moment_at((head - span.keep + 1) * span.pane), span.pane // SECOND
        for fact in (measures.LEADS, measures.MONEY):
            rows = await stored.sums(connection, fact, seconds, since, until)
            _add(windows.places, number, PLACE_MEASURES, rows, [row["location_key"] for row in rows])
        for fact in (measures.BOTS, measures.TALKS):
            rows = await stored.sums(connection, fact, seconds, since, until)
            keys = [(row["location_key"], row["bot_id"]) for row in rows]
            _add(windows.bots, number, BOT_MEASURES, rows, keys)
        await _add_latencies(windows, number, await stored.latencies(connection, seconds, since, until))
        async for some in stored.leads(connection, seconds, since, until):
            _add_leads(windows, number, some)
            await asyncio.sleep(0)
    for _, bot in windows.bots.keys:
        windows.know_bot(bot)
    await _remember(windows, connection, until)


def _add(
    table: Table[Key], number: int, names: Sequence[str], rows: Sequence[asyncpg.Record], keys: Sequence[Key]
) -> None:
    if not rows:
        return
    sums = np.zeros((len(rows), len(names)), np.int64)
    for name in MEASURES.keys() & rows[0].keys():
        sums[:, names.index(name)] = [row[name] for row in rows]
    places = table.places(keys)
    table.rings[number].add(_column(rows, "pane"), places, sums)


async def _add_latencies(windows: Windows, number: int, rows: Sequence[asyncpg.Record]) -> None:
    if not rows:
        return
    places = windows.bots.places([(row["location_key"], row["bot_id"]) for row in rows])
    kinds = np.array([KINDS.index(row["kind"]) for row in rows], np.int64)
    codes = (places * len(KINDS) + kinds) * CELLS + _column(rows, "cell")
    windows.histograms[number].widen(len(windows.bots.keys) * len(KINDS))
    windows.histograms[number].add(_column(rows, "pane"), codes, _column(rows, "n"))


def _add_leads(windows: Windows, number: int, rows: Sequence[asyncpg.Record]) -> None:
    came: dict[tuple[int, int], set[int]] = {}
    for row in rows:
        came.setdefault((row["pane"], row["location_key"]), set()).add(hash(number_of(row["lead_id"])))
    for (pane, location), leads in came.items():
        windows.leads[number].add(pane, location, leads)


async def _remember(windows: Windows, connection: Connection, until: datetime) -> None:
    """What later events are held against."""
    since = moment_at(windows.oldest)
    async for some in stored.ids(connection, since, until, MOST_IDS):
        panes = [micros(row["occurred_at"]) // BASE for row in some]
        windows.seen.repeats(panes, [hash(number_of(row["event_id"])) for row in some])
        await asyncio.sleep(0)
    silent = moment_at((windows.watermark.at or 0) - talks.FORGET_AFTER)
    for row in await stored.talks(connection, silent, talks.MOST_TALKS):
        windows.talks.put_back(number_of(row["conversation_id"]), _talk(row))
    states: dict[int, list[list[int | str]]] = {}
    for row in await stored.deals(connection, since, deals.MOST_DEALS):
        states.setdefault(number_of(row["deal_id"]), []).append(_state(row))
    for number, saved in states.items():
        windows.deals.put_back(number, saved)
    windows.deals.settle()


def _talk(row: asyncpg.Record) -> talks.Talk:
    return talks.Talk(
        location=row["location_key"],
        bot=row["bot_id"],
        started=micros(row["started_at"]),
        event=number_of(row["started_by"]),
        last=micros(row["last_at"]),
        replied=micros(row["replied_at"]) if row["replied_at"] else None,
        qualified=row["qualified"],
    )


def _state(row: asyncpg.Record) -> list[int | str]:
    return [
        micros(row["occurred_at"]),
        f"{number_of(row['event_id']):x}",
        row["location_key"],
        row["stage"],
        row["price_cents"],
        row["gross_cents"],
        row["company_cents"],
    ]


def _column(rows: Sequence[asyncpg.Record], name: str) -> Ints:
    return np.array([row[name] for row in rows], np.int64)


def number_of(uuid: object) -> int:
    """Of a UUID, or of its text."""
    return int(str(uuid).replace("-", ""), 16)
