"""The command centre's tiles as they change: over WebSocket, and by asking where that does not get through."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import errors, values
from storage import database, kpis
from sync import answers, client, nudge

logger = logging.getLogger(__name__)

PATH = "/api/bi/dashboard-kpis"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a screen shows: one location, or all that the person may see (""), and a timeframe."""

    location_id: str = ""
    timeframe: str = "30d"


def tiles_of(answer: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], datetime]:
    """The server's answer as tiles by name (the fields of domain.kpis.Tile) and their time.

    Raises: NotOurServerError.
    """
    try:
        found = {
            name: {
                **metric,
                "comparison": answer["comparisons"].get(name),
                "trend": answer["trends"].get(name) or [],
                "tier": answer["performance_tiers"].get(name),
                "interval": _interval(metric.get("interval")),
            }
            for name, metric in answer["metrics"].items()
        }
        return found, values.parse_time(answer["last_updated"])
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise answers.not_ours("no tiles") from fault


def _interval(pair: Any) -> dict[str, float] | None:
    if pair is None or isinstance(pair, dict):
        return pair
    low, high = pair
    return {"low": low, "high": high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Brings tiles into the store; screens read them there, so they are there without a network too."""

    db: database.Database
    line: client.Client
    rng: random.Random = field(default_factory=random.Random)
    wanted: Callable[[], bool] = lambda: True  # False while a person switched the network off

    async def ask(self, board: Board) -> None:
        """The tiles now. Raises: NetworkError, AccessError."""
        params = {"timeframe": board.timeframe, "location_id": board.location_id}
        self.keep(board, await self.line.get_json(PATH, params=params))

    async def follow(self, board: Board) -> None:
        """Keep the tiles of `board` fresh until cancelled."""

        def hear(message: dict[str, Any]) -> None:
            if message.get("channel") == "dashboard" and isinstance(message.get("data"), dict):
                self.keep(board, message["data"])

        await nudge.stay_connected(lambda: self._frames(board), hear, rng=self.rng, wanted=self.wanted)

    async def _frames(self, board: Board) -> AsyncGenerator[dict[str, Any], None]:
        path = f"/ws/dashboard/{board.location_id or ALL}"
        try:
            async with aclosing(nudge.messages(self.line, path, {"timeframe": board.timeframe})) as heard:
                async for message in heard:
                    yield message
        except errors.UnreachableError:
            await self.ask(board)  # where WebSockets are blocked, plain requests may pass
            raise

    def keep(self, board: Board, answer: Mapping[str, Any]) -> None:
        """Raises: NotOurServerError, StoreError."""
        tiles, as_of = tiles_of(answer)
        with self.db.write_tx() as tx:
            kpis.save(tx, location_id=board.location_id, timeframe=board.timeframe, tiles=tiles, as_of=as_of)
        logger.debug("live.tiles", extra={"count": len(tiles)})
