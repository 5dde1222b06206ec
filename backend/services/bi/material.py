"""What a revenue forecast is made of: weekly revenue of complete days, and the course of every deal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from backend.services.bi import spans
from backend.services.bi.backtest import History
from backend.services.bi.pipe import WEEK, pipe
from backend.storage.pool import Connection
from backend.storage.warehouse import forecasts as store
from backend.storage.warehouse import series
from backend.storage.warehouse.forecasts import REVENUE

MOST_WEEKS = 260
_READ = (REVENUE, "deals_won", "deals_added")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a forecast is made of: revenue by whole weeks to the last complete day, and the deals. `days`: of history there are."""

    history: History
    days: int
    deals_won: int
    price_spread: float

    @property
    def deal(self) -> float:
        """Cents: the mean square of a closed deal's revenue ÷ its mean, for `baselines.luck`."""
        mean = float(self.history.weeks.sum()) / max(self.deals_won, 1)
        return max(mean, 0.0) * (1 + self.price_spread**2)


async def gather(connection: Connection, places: Sequence[int], keys: Sequence[int], until: date) -> Material:
    """Whole weeks back from `until`, as far as there is anything of deals."""
    first = until - timedelta(weeks=MOST_WEEKS) + spans.ONE_DAY
    found = await series.daily(connection, places, _READ, spans.date_key(first), spans.date_key(until))
    busy = [spans.day_of(key) for key, sums in found.items() if any(sums.values())]
    days = (until - min(busy)).days + 1 if busy else 0
    weeks = np.zeros(days // WEEK)
    for day, sums in ((spans.day_of(key), sums) for key, sums in found.items()):
        back = (until - day).days // WEEK
        if back < len(weeks):
            weeks[len(weeks) - 1 - back] += sums[REVENUE]
    deals = pipe(await store.states(connection, keys, until))
    amounts = np.asarray([closing.gross_cents for closing in deals.closings], float)
    return Material(
        history=History(weeks=weeks, until=until, pipe=deals),
        days=days,
        deals_won=sum(sums["deals_won"] for sums in found.values()),
        price_spread=float(amounts.std() / amounts.mean()) if len(amounts) > 1 and amounts.mean() else 0.0,
    )
