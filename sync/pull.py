"""Down: pages of the server's feed, each with its cursor in one transaction."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from domain import errors, ports, wire
from storage import cursor, database, events, pulled, scopes
from sync import answers, client

logger = logging.getLogger(__name__)

PATH = "/api/sync/pull"
DEVICE_HEADER = "X-Jorge-Device"
FIRST_PAGE = 200
AIM_SECONDS = 0.05


def next_limit(limit: int, rows: int, seconds: float) -> int:
    """How many rows to ask for next, so that applying a page takes about 50 ms of the screen's thread."""
    if rows < limit / 2 or seconds <= 0:
        return limit
    fitting = int(rows * AIM_SECONDS / seconds)
    return max(FIRST_PAGE, min(fitting, limit * 2, wire.MAX_PAGE))


def checked(page: wire.Page) -> wire.Page:
    """Each row has an id, a version and a value for each column. Raises: TypeError, ValueError."""
    for block in page.blocks:
        width = len(block.columns) + (0 if tuple(block.columns[:2]) == ("id", "ver") else 2)
        for row in block.rows:
            if len(row) != width or not isinstance(row[0], str) or not isinstance(row[1], int):
                raise ValueError(f"a row of {block.table} does not fit its header")
    return page


@dataclass(slots=True, kw_only=True)
class Pull:
    db: database.Database
    line: client.Client
    clock: ports.Clock
    limit: int = FIRST_PAGE

    async def page(self) -> bool:
        """One page; is there more? Raises: NetworkError, AccessError, StoreError."""
        try:
            page = await self._ask()
        except errors.ResyncError:
            self._start_over()
            return True
        return self._apply(page)

    async def _ask(self) -> wire.Page:
        place, device = cursor.place(self.db), cursor.device(self.db)
        params = {"cursor": place.cursor, "limit": str(self.limit)}
        said = await self.line.request("GET", PATH, params=params, headers={DEVICE_HEADER: device.id})
        found = answers.sync_json(said.headers, said.content)
        try:
            return checked(wire.Page.from_json(found))
        except (KeyError, TypeError, ValueError) as fault:
            raise answers.not_ours("no page") from fault

    def _apply(self, page: wire.Page) -> bool:
        began = time.perf_counter()
        with self.db.write_tx() as tx:
            known = cursor.place(tx)
            if page.more and page.cursor == known.cursor:
                raise answers.not_ours("a page that leads nowhere")
            if known.incarnation and page.incarnation != known.incarnation:
                scopes.new_incarnation(tx)
                events.add(tx, "pull.new_incarnation", level="warning", at=self.clock.now())
                if known.cursor:
                    cursor.put(tx, incarnation=page.incarnation)
                    return True  # this page goes on from a position of the old one
            applied = pulled.apply(tx, page, now_ms=round(self.clock.now().timestamp() * 1000))
        for file in applied.files:
            file.unlink(missing_ok=True)
        if applied.scrub:
            self.db.scrub()
        self.limit = next_limit(self.limit, applied.rows, time.perf_counter() - began)
        logger.info("sync.pulled", extra={"rows": applied.rows, "removed": applied.removed})
        return page.more

    def _start_over(self) -> None:
        with self.db.write_tx() as tx:
            if cursor.place(tx).cursor == "":
                raise errors.ServerFaultError(
                    "The server refuses even a first sync.", where="cursor", hint="Tell the administrator."
                )
            scopes.start_over(tx)
            events.add(tx, "pull.start_over", level="warning", at=self.clock.now())
