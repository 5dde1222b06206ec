"""Whether anything was ever heard of at some places: what came to nothing is 0 there, what nobody told of is no data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.metrics.measures import BOTS, LEADS, TALKS

if TYPE_CHECKING:
    from backend.storage.pool import Connection

_EVERY = {LEADS: "interactions", BOTS: "bot_events", TALKS: "conversations"}
"""The measure that counts all of a fact's rows."""


async def of_fact(connection: Connection, fact: str, places: Sequence[int]) -> bool:
    """Of any row of this fact, money apart. A walk along the days' index, which ends at the first."""
    found: bool = await connection.fetchval(
        f"""SELECT EXISTS (SELECT FROM unnest($1::int[]) AS place, LATERAL (
                SELECT FROM agg_daily_metrics WHERE location_key = place AND {_EVERY[fact]} > 0
                 ORDER BY date_key LIMIT 1) first)""",  # noqa: S608 - fixed words
        list(places),
    )
    return found


async def of_leads(connection: Connection, keys: Sequence[int]) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM dim_lead WHERE location_key = ANY($1::int[]))", list(keys)
    )
    return found
