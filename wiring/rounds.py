"""What this process looks after now and then, whoever is signed in: abandoned recordings, an idle speech model."""

from __future__ import annotations

import logging

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from domain import errors
from wiring.entry import Entry

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 30.0
IDLE_SECONDS = 300.0


class Rounds:
    """Start inside the running loop."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._jobs = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        once = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._jobs.add_job(self.once, "interval", seconds=EVERY_SECONDS, id="rounds", **once)
        self._jobs.start()

    def stop(self) -> None:
        if self._jobs.running:
            self._jobs.shutdown(wait=False)

    async def once(self) -> None:
        """One person's trouble is no other's."""
        for place in tuple(self._entry.open_now.values()):
            try:
                await place.housekeeping()
            except errors.JorgeError as fault:
                LOG.warning("rounds.failed code=%s", fault.code)
        unload = getattr(self._entry.shared.transcriber, "unload_if_idle", None)
        if unload is not None:
            unload(IDLE_SECONDS)
