"""The shell around the sync machine: does what it says, tells it what came of that, and shows its state to the screens.

What is said, in which order, is in sync/lanes.py (read first); when which lane runs is in sync/machine.py; this file has the
requests (httpx), the transactions (one thread, one at a time) and the timers (sync/schedule.py), and decides nothing.

    run_once():  one complete run, for tests and buttons        wake():  something happened, run soon
    serve():     the loop that runs until it is cancelled       tick():  a timer has run out
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from domain import errors, ports
from storage import cursor, database
from sync import client, counted, effects, machine, remote
from sync.effects import Arm, Done, Failed, Refresh, Send, Store, Wake, Why
from sync.status import SyncStatus

logger = logging.getLogger(__name__)

ArmTimer = Callable[[str, float | None], None]


class Engine:
    """The sync of one person's store. Make it, `serve()` it as a task, `wake()` it."""

    def __init__(
        self,
        db: database.Database,
        line: client.Client,
        clock: ports.Clock,
        *,
        arm: ArmTimer = lambda _name, _seconds: None,
        rng: random.Random | None = None,
    ) -> None:
        self.db = db
        self.line = line
        self._clock = clock
        self._arm = arm
        self._machine = machine.Machine(rng=rng or random.Random())
        self._remote = remote.Remote(line)
        self._device = effects.Device(db=db, clock=clock)
        self._inbox: list[effects.Input] = []
        self._heard = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sent: set[int] = set()  # those of the tasks that wait for the server
        self._end: BaseException | None = None  # the process is to end (KeyboardInterrupt and the like)
        self._stepping = False
        self._showing = False
        self._closed = False
        self._shown = SyncStatus()
        self._counts: dict[str, Any] = {}
        self._uncounted: set[str] = set(counted.TABLES)
        self._watchers: list[Callable[[], None]] = []
        self._unsubscribe = db.subscribe(self._on_commit)
        if cursor.get(db, "stay_offline"):
            self._turn(effects.ForceOffline(True))
        self._show()

    # What screens and timers use

    def status(self) -> SyncStatus:
        if self._uncounted:
            self._show()
        return self._shown

    def subscribe(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """`callback` after each change of `status()`; the answer ends that."""
        self._watchers.append(callback)

        def unsubscribe() -> None:
            with suppress(ValueError):
                self._watchers.remove(callback)

        return unsubscribe

    def on_arm(self, arm: ArmTimer) -> None:
        """Who keeps the timers (sync/schedule.py): it says `tick(name)` when one runs out."""
        self._arm = arm

    def armed(self) -> bool:
        """A timer will try again what failed."""
        return self._machine.armed

    def wake(self, why: Why = Why.NEWS) -> None:
        """Run soon."""
        self._say(Wake(why))

    def tick(self, timer: str) -> None:
        self._say(effects.Tick(timer))

    def force_offline(self, on: bool, /) -> None:
        """A person's switch: no traffic while it is on, also after the app was started anew."""
        with suppress(errors.StoreError), self.db.write_tx() as tx:
            cursor.put(tx, stay_offline="1" if on else "")
        if not on:
            self._say(effects.ForceOffline(on))
            return
        self._turn(effects.ForceOffline(on))
        for task in [self._tasks[one] for one in self._sent if one in self._tasks]:
            task.cancel()

    def metered(self, on: bool, /) -> None:
        """Recordings shall wait for Wi-Fi, and there is none now."""
        self._say(effects.Metered(on))

    async def send_now(self) -> None:
        """A person's button: a run now, whatever the timers say."""
        await self.run_once()

    async def audit(self) -> None:
        """A person's button: hold everything here against the server, contents included."""
        await self._run(effects.Audit())

    async def run_once(self, why: Why = Why.PERSON) -> SyncStatus:
        """One complete run. Failures are in the status, none is raised."""
        return await self._run(Wake(why))

    async def serve(self) -> None:
        """Runs whenever woken, until cancelled."""
        try:
            while True:
                await self._heard.wait()
                await self._settle()
        finally:
            self._stop()

    def _stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    def close(self) -> None:
        """Hear no more of the store, and look at it no more."""
        self._closed = True
        self._unsubscribe()
        self._watchers.clear()

    # Turning the machine

    async def _run(self, said: effects.Input) -> SyncStatus:
        self._say(said)
        await self._settle()
        return self._shown

    async def _settle(self) -> None:
        """Until nothing is under way and nothing was said meanwhile."""
        while self._inbox or self._tasks:
            self._heard.clear()
            while self._inbox:
                self._turn(self._inbox.pop(0))
            if self._tasks:
                await self._heard.wait()
            if self._end is not None:
                self._stop()
                raise self._end

    def _say(self, said: effects.Input) -> None:
        """To the machine as soon as somebody turns it: `serve` or a run."""
        if said not in self._inbox:
            self._inbox.append(said)
        self._heard.set()

    def _turn(self, said: effects.Input) -> None:
        for output in self._machine.handle(said, self._clock.now()):
            if isinstance(output, Arm):
                self._arm(output.timer, output.seconds)
            else:
                if not isinstance(output, Store):
                    self._sent.add(output.id)
                self._tasks[output.id] = asyncio.create_task(self._do(output))
        self._show()

    async def _do(self, output: Send | Store | Refresh) -> None:
        began = time.monotonic()
        said: effects.Input
        try:
            value = await self._value(output)
            said = Done(output.id, value, time.monotonic() - began)
        except errors.JorgeError as fault:
            if not isinstance(output, Store):
                logger.info("sync.failed", extra={"code": fault.code})
            said = Failed(output.id, fault)
        except Exception:
            logger.exception("sync.unforeseen")
            said = Failed(output.id, _unforeseen())
        except asyncio.CancelledError:
            said = Failed(output.id, _cut())
        except BaseException as end:  # noqa: BLE001 - it is raised where somebody waits
            self._end = end
            self._heard.set()
            return
        self._tasks.pop(output.id, None)
        self._sent.discard(output.id)
        self._say(said)

    async def _value(self, output: Send | Store | Refresh) -> Any:
        match output:
            case Send(_, ask):
                return await self._remote.once(ask)
            case Refresh():
                await self.line.refresh()
                return None
            case Store(_, step) if isinstance(step, effects.Look):
                return await asyncio.to_thread(self._look, step)
            case Store(_, step):
                await asyncio.sleep(0)  # let the screen draw
                with self._own_commit():
                    return step.run(self._device)

    def _look(self, step: effects.Look) -> Any:
        with self.db.reader() as reads:
            return step.look(reads)

    # What the screens see

    @contextmanager
    def _own_commit(self) -> Iterator[None]:
        self._stepping = True
        try:
            yield
        finally:
            self._stepping = False

    def _on_commit(self, touched: frozenset[str]) -> None:
        if touched & counted.TABLES:
            self._uncounted |= touched & counted.TABLES
            self._show_soon()
        if touched & {"outbox", "blobs"} and not self._stepping:
            self.wake(Why.COMMIT)

    def _show_soon(self) -> None:
        """Counting costs as much as writing a row: once for all that is written in one go."""
        if self._showing:
            return
        try:
            asyncio.get_running_loop().call_soon(self._show)
        except RuntimeError:
            return  # no loop, no screens: whoever asks for the status counts
        self._showing = True

    def _count(self) -> None:
        touched, self._uncounted = self._uncounted, set()
        self._counts |= counted.counted(self.db, touched)

    def _show(self) -> None:
        """The machine's state and the store's counts, to whoever watches."""
        self._showing = False
        if self._closed:
            return
        self._count()
        shown = replace(self._machine.status, **self._counts)
        if shown == self._shown:
            return
        self._shown = shown
        for callback in tuple(self._watchers):
            try:
                callback()
            except Exception:
                logger.exception("sync.watcher_failed")


def _cut() -> errors.JorgeError:
    return errors.UnreachableError("The request was called off.", where="this device")


def _unforeseen() -> errors.JorgeError:
    return errors.SyncError(
        "The app made a mistake while it was syncing.",
        where="this device",
        hint="Nothing is lost: it tries again by itself. Send the log to support.",
    )
