"""What changed in the windows, told to whoever listens and kept for whoever comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from backend.epoch import moment_at
from backend.stream import entries, keeping
from backend.stream.windows import rows
from backend.stream.windows.state import Windows

if TYPE_CHECKING:
    from backend.deps import Deps
    from backend.stream.keeping import Keeper


class Teller:
    """One processor's turn at telling. Whoever hears another `epoch` starts over; `offset` counts its messages without a gap."""

    def __init__(self, deps: Deps, keeper: Keeper, epoch: str) -> None:
        self._deps = deps
        self._keeper = keeper
        self.epoch = epoch
        self._number = 0
        self._said: tuple[bool, bool] | None = None
        self._revisions: dict[tuple[int, int], int] = {}

    async def tell(self, windows: Windows, now: int, *, complete: bool) -> int:
        """Publish what changed and keep it, at once or not at all; how many rows that were. Raises: LeaseLostError."""
        changed = rows.changed(windows)
        said = (complete, windows.watermark.at is None)
        if not changed and said == self._said:
            return 0
        self._said = said
        first, self._number = not self._number, self._number + 1
        meta = self._meta(windows, now, complete)
        told = [orjson.dumps(self._row(row)) for row in changed]
        kept: dict[Any, Any] = {
            f"{row.location}:{row.window}": _with(one, "latencies", orjson.dumps(row.latencies))
            for row, one in zip(changed, told, strict=True)
        }
        said_meta = orjson.dumps(meta)
        async with self._keeper.fenced() as pipe:
            if first:
                pipe.delete(keeping.LATEST)
            pipe.hset(keeping.LATEST, mapping=kept | {keeping.META: said_meta})
            message = _with(said_meta, "rows", b"[" + b",".join(told) + b"]")
            pipe.publish(self._deps.channel(entries.DELTAS), message)
        return len(changed)

    async def breathe(self, windows: Windows, now: int, *, complete: bool) -> None:
        """Nothing may have changed, but the clock has: say up to when that is known. Raises: LeaseLostError."""
        await self._keeper.breathe(orjson.dumps(self._meta(windows, now, complete)))

    def _meta(self, windows: Windows, now: int, complete: bool) -> dict[str, Any]:
        at = windows.watermark.at
        return {
            "epoch": self.epoch,
            "offset": self._number,
            "as_of": moment_at(now).isoformat(),
            "watermark": moment_at(at).isoformat() if at is not None else None,
            "complete": complete,
        }

    def _row(self, row: rows.Row) -> dict[str, Any]:
        key = (row.location, row.number)
        self._revisions[key] = revision = self._revisions.get(key, 0) + 1
        return {
            "location_key": row.location,
            "window": row.window,
            "rev": revision,
            "values": row.values,
            "bots": row.bots,
        }


def _with(said: bytes, name: str, value: bytes) -> bytes:
    """A JSON object that is not empty, with one more: what was written once is not written again."""
    return b'%b,"%b":%b}' % (said[:-1], name.encode(), value)


def again(windows: Windows, spans: Sequence[int]) -> None:
    """All rows of these windows are told with the next tick, changed or not."""
    for number in spans:
        for table in (windows.places, windows.bots):
            table.rings[number].changed[: len(table.keys)] = True
