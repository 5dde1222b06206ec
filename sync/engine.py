"""How this device and the server come to agree: read this first, it is one page.

    run_once():  push batches until nothing waits  →  pull pages until there are no more  →  voice files
    wake():      something happened (a commit, a poke, a timer, a button): run soon
    serve():     the loop that runs; a failure arms a timer with full jitter (sync/schedule.py)

One run at a time; whoever asks meanwhile waits for the same one and gets one more after it. Each step is a
transaction of its own, so a cut at any point leaves a store that the next run goes on from. Local work never
waits for any of it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from domain import errors, ports
from storage import blobs, conflicts, cursor, database, events, outbox
from sync import client, pull, push, uploads
from sync.status import Phase, SyncStatus

logger = logging.getLogger(__name__)

LONGEST_WAIT = 300.0
Retry = Callable[[float], None]


def backoff(failures: int, *, asked: float | None = None, rng: random.Random) -> float:
    """Seconds to wait: full jitter up to 2^failures, at most 300; never less than the server asked for."""
    wait = rng.uniform(0.0, min(LONGEST_WAIT, 2.0 ** min(failures, 30)))
    return wait if asked is None else asked + wait


class Engine:
    """The sync of one person's store. Make it, `serve()` it as a task, `wake()` it."""

    def __init__(
        self,
        db: database.Database,
        line: client.Client,
        clock: ports.Clock,
        *,
        retry: Retry = lambda _: None,
        rng: random.Random | None = None,
    ) -> None:
        self.db = db
        self.line = line
        self._clock = clock
        self._retry = retry
        self._rng = rng or random.Random()
        self._push = push.Push(db=db, line=line, clock=clock)
        self._pull = pull.Pull(db=db, line=line, clock=clock)
        self._uploads = uploads.Uploads(db=db, line=line, clock=clock)
        self._wanted = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._failures = 0
        self._status = SyncStatus()
        self._watchers: list[Callable[[], None]] = []
        self._unsubscribe = db.subscribe(self._on_commit)
        self._count()

    def status(self) -> SyncStatus:
        return self._status

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """`callback` after each change of `status()`; the answer ends that."""
        self._watchers.append(callback)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._watchers.remove(callback)

        return unsubscribe

    def on_retry(self, retry: Retry) -> None:
        """Who arms the timer after a failure (sync/schedule.py)."""
        self._retry = retry

    def wake(self) -> None:
        """Run soon."""
        self._wanted.set()

    def force_offline(self, on: bool, /) -> None:
        """A person's switch: no traffic while it is on."""
        self._set(forced_offline=on)
        if not on:
            self.wake()

    async def send_now(self) -> None:
        """A person's button: a run now, whatever the timers say."""
        self._failures = 0
        self._set(next_try_at=None)
        await self.run_once()

    async def serve(self) -> None:
        """Runs whenever woken, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.run_once()
            except Exception:
                logger.exception("sync.run_failed")
                self._retry_later(None)

    async def run_once(self) -> SyncStatus:
        """One complete run. Failures are in the status, none is raised but what nobody foresaw."""
        async with self._one_at_a_time:
            if self._status.forced_offline:
                return self._status
            try:
                await self._run()
                self._succeeded()
            except errors.JorgeError as fault:
                self._failed(fault)
            finally:
                self._set(phase=Phase.IDLE)
            return self._status

    async def _run(self) -> None:
        fault = await self._pull_all(await self._push_all())
        if fault:
            raise fault
        self._set(phase=Phase.UPLOADING)
        while not self._status.forced_offline and await self._uploads.step():
            self._contact()
            if outbox.counts(self.db).pending:
                await self._push_all()  # rows never wait for files

    async def _push_all(self) -> errors.JorgeError | None:
        """Push until nothing waits. A server fault is answered, not raised: the pull may work all the same."""
        self._set(phase=Phase.PUSHING)
        try:
            while not self._status.forced_offline and (sent := await self._push.batch()):
                self._contact()
                if sent.stuck:
                    return _BUSY
        except errors.ServerFaultError as fault:
            return fault
        return None

    async def _pull_all(self, fault: errors.JorgeError | None) -> errors.JorgeError | None:
        """Pull until there is no more; what is written meanwhile doesn't wait for the end of a long load."""
        more = True
        while more and not self._status.forced_offline:
            self._set(phase=Phase.PULLING)
            more = await self._pull.page()
            self._contact()
            await asyncio.sleep(0)  # let the screen draw
            if more and fault is None and self._status.pending:
                fault = await self._push_all()
        return fault

    def _succeeded(self) -> None:
        self._failures = 0
        now = self._clock.now()
        self._set(online=True, fault=None, needs_sign_in=False, last_success_at=now, next_try_at=None)
        if outbox.counts(self.db).pending or blobs.waiting(self.db, limit=1):
            self.wake()  # written while this run was past it

    def _failed(self, fault: errors.JorgeError) -> None:
        asleep = isinstance(fault, errors.TokenExpiredError | errors.VersionMismatchError)
        silent = isinstance(fault, errors.UnreachableError | errors.NotOurServerError)
        logger.info("sync.failed", extra={"code": fault.code})
        self._set(online=not silent, fault=fault, needs_sign_in=isinstance(fault, errors.TokenExpiredError))
        self._note(fault)
        if not asleep:
            self._retry_later(fault.retry_after)

    def _retry_later(self, asked: float | None) -> None:
        """Arm the timer. A run that a local write woke while one is armed counts as no further failure:

        else every offline edit would double the wait, and the last of many might wait for minutes.
        """
        armed = self._status.next_try_at
        if asked is None and armed is not None and armed > self._clock.now():
            return
        self._failures += 1
        self._retry(backoff(self._failures, asked=asked, rng=self._rng))

    def _note(self, fault: errors.JorgeError) -> None:
        if isinstance(fault, errors.StoreError):
            return
        with suppress(errors.StoreError), self.db.write_tx() as tx:
            events.add(tx, "sync.failed", level="warning", at=self._clock.now(), code=fault.code)

    def _contact(self) -> None:
        self._set(online=True, last_contact_at=self._clock.now())

    def waiting_until(self, moment: object) -> None:
        """The timer that is armed, for the screen."""
        self._set(next_try_at=moment)

    def _on_commit(self, touched: frozenset[str]) -> None:
        if touched & {"outbox", "blobs", "conflicts", "sync_state"}:
            self._count()
        if touched & {"outbox", "blobs"} and not self._status.running:
            self.wake()

    def _count(self) -> None:
        counts, place = outbox.counts(self.db), cursor.place(self.db)
        self._set(
            pending=counts.pending,
            parked=counts.parked,
            conflicts=conflicts.count_open(self.db),
            files=blobs.count_unsent(self.db),
            first_done=place.first_done,
            first_total=place.first_total,
            first_complete=place.first_complete,
        )

    def _set(self, **changes: object) -> None:
        changed = replace(self._status, **changes)  # type: ignore[arg-type]
        if changed == self._status:
            return
        self._status = changed
        for callback in tuple(self._watchers):
            try:
                callback()
            except Exception:
                logger.exception("sync.watcher_failed")

    def close(self) -> None:
        """Hear no more of the store."""
        self._unsubscribe()
        self._watchers.clear()


_BUSY = errors.ServerFaultError(
    "The server is busy.", where="server", hint="Nothing is lost: the app tries again by itself."
)
