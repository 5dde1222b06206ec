"""Job: says, once a complete day, what revenue each office and the whole will have, and keeps it as it was said."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Any

from backend.services.bi import forecast, spans
from backend.services.bi.material import gather
from backend.storage.warehouse import forecasts as store
from backend.storage.warehouse import watch
from backend.storage.warehouse.forecasts import REVENUE, Issued
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.scope import ALL, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.deps import Deps

DAYS = (30, 90, 180, 365)


async def once(deps: Deps) -> None:
    """What was said for a day is not said again, however often it runs."""
    async with writing(deps.pool) as connection:
        _, every = await watch.everything(connection)
    for place, of in [(ALL, every), *((office.key, (office,)) for office in every)]:
        if of:
            await _of_place(deps, place, of)


async def _of_place(deps: Deps, place: int, of: Sequence[Office]) -> None:
    until = spans.last_complete(of, deps.clock.now())
    async with writing(deps.pool) as connection:
        if await store.issued_for(connection, place, REVENUE, until) == list(DAYS):
            return
        material = await gather(connection, [place], [office.key for office in of], until)
    said = await asyncio.to_thread(lambda: [forecast.told(material, days) for days in DAYS])
    issued = [_issued(deps, place, until, one) for one in said if one["model"]]
    async with writing(deps.pool) as connection:
        await store.keep(connection, issued)


def _issued(deps: Deps, place: int, until: date, said: dict[str, Any]) -> Issued:
    total = said["total"]
    return Issued(
        location_key=place,
        measure=REVENUE,
        data_until=until,
        days=said["days"],
        model=said["model"],
        issued_at=deps.clock.now(),
        value_cents=total["value"],
        low_80=total["low_80"],
        high_80=total["high_80"],
        low_95=total["low_95"],
        high_95=total["high_95"],
        backtest=said["backtest"],
    )
