"""Timers: retry after a failure, a regular look, housekeeping; all of them jobs of one APScheduler."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain import ports
from storage import events, outbox, outbox_writes, search_index
from sync import engine
from sync.effects import Why

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""A regular run while all is well: the fallback where no poke comes through."""
WATCH_SECONDS = 20.0
HOUSEKEEPING_HOURS = 6.0


class Schedule:
    """Keeps the promise: while something waits and nothing runs, a timer is armed."""

    def __init__(
        self, sync: engine.Engine, clock: ports.Clock, *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._engine = sync
        self._clock = clock
        self._jobs = AsyncIOScheduler(timezone="UTC")
        self._look_seconds = look_seconds
        sync.on_arm(self.arm)

    def start(self) -> None:
        """Inside the running loop."""
        once = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._jobs.add_job(self._look, "interval", seconds=self._look_seconds, jitter=5, id="look", **once)
        self._jobs.add_job(self._watch, "interval", seconds=WATCH_SECONDS, id="watch", **once)
        self._jobs.add_job(self.housekeeping, "interval", hours=HOUSEKEEPING_HOURS, id="housekeeping", **once)
        self._jobs.start()
        self._engine.wake()

    def stop(self) -> None:
        if self._jobs.running:
            self._jobs.shutdown(wait=False)

    def arm(self, timer: str, seconds: float | None) -> None:
        """Say `timer` to the engine after `seconds`; a later timer of the same name replaces an earlier one."""
        job = f"timer-{timer}"
        if seconds is None:
            if self._jobs.get_job(job) is not None:
                self._jobs.remove_job(job)
            return
        self._jobs.add_job(
            self._ring,
            "date",
            run_date=datetime.now(UTC) + timedelta(seconds=seconds),
            args=[timer],
            id=job,
            replace_existing=True,
            misfire_grace_time=None,
        )

    async def _ring(self, timer: str) -> None:
        self._engine.tick(timer)

    async def _look(self) -> None:
        self._engine.wake(Why.LOOK)

    async def _watch(self) -> None:
        """While something waits and nothing runs, a timer is armed: if ever not, say so and run."""
        status = self._engine.status()
        waits = outbox.counts(self._engine.db).pending > 0
        if waits and not (
            status.running or status.forced_offline or status.needs_sign_in or self._engine.armed()
        ):
            logger.warning("sync.watchdog_woke")
            self._engine.wake()

    async def housekeeping(self) -> None:
        """Forget the journal after 14 days and the diary's oldest lines; make the search index anew if it is mostly waste."""
        with self._engine.db.write_tx() as tx:
            gone = outbox_writes.prune(tx, round(self._clock.now().timestamp() * 1000))
            events.prune(tx)
            search_index.tidy(tx)
        logger.info("sync.housekeeping", extra={"journal": gone})
