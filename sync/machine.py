"""When which lane runs: the sync engine without any I/O, clock or thread. `handle` what happened, do what it answers.

    Wake, Tick, Done, Failed …  →  Machine.handle(said, now)  →  Send, Store, Refresh, Arm …

- A lane that is wanted starts when nothing forbids it; wanted again while it runs, it runs once more after that.
- Changes go up first; pages don't wait for them longer than a second, recordings wait until the changes are through.
- No answer at all is the line's failure: everything waits for one timer with full jitter. A server's refusal is that lane's
  failure, with a timer of its own. Whatever answers makes the line whole again.
- A token that doesn't count is renewed once for each request; if that fails, a person must sign in.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from domain import errors
from sync import lanes, steps
from sync.effects import (
    Arm,
    Ask,
    Audit,
    Done,
    Failed,
    ForceOffline,
    Input,
    Metered,
    Output,
    Refresh,
    Send,
    Store,
    Tick,
    Wake,
    Why,
)
from sync.runner import Runner, Waits, backoff
from sync.status import Phase, SyncStatus

PATIENCE = "patience"
PATIENCE_SECONDS = 1.0
"""So long a pull lets a push go first."""
SETTLE = "settle"
SETTLE_SECONDS = 2.0
"""After a push the server's poke says when there is something to read; where none comes, we look by ourselves."""


class Patience(Enum):
    """Of a pull that wants to start while a push is under way."""

    NONE, ARMED, OVER = range(3)


_SILENT = (errors.UnreachableError, errors.NotOurServerError)


class Machine:
    """The state of one device's conversation; `status` tells what a person should know of it."""

    def __init__(self, *, rng: random.Random) -> None:
        self._rng = rng
        self.pace = lanes.Pace()
        self.up = Runner(name="up", phase=Phase.PUSHING, make=lanes.up)
        self.down = Runner(name="down", phase=Phase.PULLING, make=lanes.down)
        self.files = Runner(name="files", phase=Phase.UPLOADING, make=lanes.recordings)
        self.equal = Runner(name="equal", phase=Phase.COMPARING, make=lanes.equal)
        self.talking = (self.up, self.down, self.files)
        self.runners = (*self.talking, self.equal)
        self.line = Waits(name="line")
        self.status = SyncStatus()
        self._patience = Patience.NONE
        self._ids = 0
        self._now = datetime.fromtimestamp(0, UTC)
        self._out: list[Output] = []

    def handle(self, said: Input, now: datetime) -> list[Output]:
        """What is to be done now, in this order. `now` in UTC, for the status only."""
        self._now, self._out = now, []
        match said:
            case Wake(why):
                self._wake(why)
            case Tick(timer):
                self._tick(timer)
            case Done() | Failed():
                self._answered(said)
            case ForceOffline(on):
                self._force(on)
            case Metered(on):
                self.pace.metered, self.files.wanted = on, True
                self._set(metered=on)
            case Audit():
                self.pace.audit = True
                self._wake(Why.PERSON)
        self._start()
        self._tell()
        return self._out

    @property
    def running(self) -> bool:
        """Something is under way; when it is through, what was wanted meanwhile starts by itself."""
        return any(one.lane is not None for one in self.runners)

    @property
    def armed(self) -> bool:
        """A timer will wake what waits after a failure."""
        return any(one.armed for one in (self.line, *self.talking))

    # What happened

    def _wake(self, why: Why) -> None:
        self.up.wanted = self.files.wanted = True
        if why is not Why.COMMIT:
            self.down.wanted = True
            self._out.append(Arm(SETTLE, None))
        if why in (Why.PERSON, Why.NEWS):
            self._set(needs_sign_in=False)
        if why is Why.PERSON:
            for one in self.runners:
                one.asleep = False
            for waiting in (self.line, *self.runners):
                waiting.failures = 0
                self._arm(waiting, None)
        elif why is Why.NEWS:
            self._arm(self.line, None)
        self.up.urged = self.up.urged or why is Why.COMMIT

    def _tick(self, timer: str) -> None:
        if timer == PATIENCE and self._patience is Patience.ARMED:
            self._patience = Patience.OVER
        self.down.wanted = self.down.wanted or timer == SETTLE
        for one in (self.line, *self.runners):
            one.armed = one.armed and one.name != timer

    def _force(self, on: bool) -> None:
        self._set(forced_offline=on)
        if not on:
            self._wake(Why.PERSON)
        for one in self.runners:
            if on and one.ask is not None:
                one.drop()
                one.wanted = True

    def _answered(self, said: Done | Failed) -> None:
        one = next((one for one in self.runners if one.lane is not None and one.id == said.id), None)
        if one is None:
            return
        if one.renewing:
            one.renewing = False
            if isinstance(said, Done):
                self._send(one)
                return
        elif one.ask is not None:
            if _is_expired(said) and not one.renewed:
                one.renewing = one.renewed = True
                self._out.append(Refresh(self._next_id(one)))
                return
            self._heard(said)
            one.moved = one.moved or isinstance(said, Done)
        one.ask = None
        self._go_on(one, said)

    def _heard(self, said: Done | Failed) -> None:
        """Anything that a server of ours says makes the line whole again."""
        if isinstance(said, Failed) and isinstance(said.fault, _SILENT):
            return
        self.line.failures = 0
        self._arm(self.line, None)
        self._set(online=True, last_contact_at=self._now)

    # Lanes

    def _start(self) -> None:
        for one in self.runners:
            if one.wanted and one.lane is None and self._may(one):
                one.wanted = one.urged = one.moved = False
                if one is self.down:
                    self._patience = Patience.NONE
                one.lane = one.make(self.pace)
                self._go_on(one, Done(0, None))

    def _may(self, one: Runner) -> bool:
        if self.status.forced_offline or self.status.needs_sign_in or one.armed or one.asleep:
            return False
        if self.line.armed and not one.urged:
            return False
        busy = self.up.lane is not None
        if one is self.down:
            return not busy or self._out_of_patience()
        if one is self.files:
            return not busy
        return one is self.up or not any(other.lane or other.wanted for other in self.talking)

    def _out_of_patience(self) -> bool:
        if self._patience is Patience.NONE:
            self._patience = Patience.ARMED
            self._out.append(Arm(PATIENCE, PATIENCE_SECONDS))
        return self._patience is Patience.OVER

    def _go_on(self, one: Runner, said: Done | Failed) -> None:
        """Give the lane what came of its last wish, and take its next one."""
        assert one.lane is not None
        try:
            if isinstance(said, Failed):
                wish: Any = one.lane.throw(said.fault)
            else:
                self.pace.took = said.seconds
                wish = one.lane.send(said.value)
        except StopIteration:
            self._ended(one)
        except errors.JorgeError as fault:
            self._failed(one, fault)
        else:
            self._do(one, wish)

    def _do(self, one: Runner, wish: Any) -> None:
        if not isinstance(wish, Ask):  # a class each, while a look for a Step's methods takes long
            self._out.append(Store(self._next_id(one), wish))
        elif self.status.forced_offline:
            one.drop()
            one.wanted = True
        else:
            one.ask, one.renewed = wish, False
            self._send(one)

    def _send(self, one: Runner) -> None:
        assert one.ask is not None
        self._out.append(Send(self._next_id(one), one.ask))

    def _next_id(self, one: Runner) -> int:
        self._ids += 1
        one.id = self._ids
        return one.id

    def _ended(self, one: Runner) -> None:
        one.lane, one.fault, one.failures = None, None, 0
        self._forget_patience(one)
        if one is self.up and one.moved:
            self.files.wanted = True  # they wait for their note
            self._out.append(Arm(SETTLE, SETTLE_SECONDS))
        if self.pace.freed:
            self.pace.freed, self.up.wanted = False, True
        if one is self.down and self.line.failures == 0:
            self.equal.wanted = True
        if one is self.down and not (self.up.fault or self.line.armed):
            self._set(last_success_at=self._now)

    def _failed(self, one: Runner, fault: errors.JorgeError) -> None:
        one.lane, one.ask, one.wanted, one.fault = None, None, True, fault
        self._forget_patience(one)
        if not isinstance(fault, errors.StoreError):
            self._ids += 1
            self._out.append(Store(self._ids, steps.Note(fault=fault)))
        if isinstance(fault, errors.TokenExpiredError):
            self._set(needs_sign_in=True)
        elif isinstance(fault, errors.VersionMismatchError):
            one.asleep = True
        elif isinstance(fault, _SILENT):
            self._set(online=False)
            self._back_off(self.line, fault)
        else:
            self._back_off(one, fault)

    def _forget_patience(self, one: Runner) -> None:
        """A push is through: a pull that waited goes now, though the next push be wanted already."""
        if one is self.up:
            self._patience = Patience.OVER if self.down.wanted else Patience.NONE

    def _back_off(self, one: Waits, fault: errors.JorgeError) -> None:
        """Edits made offline try at once, and their failing puts no further off what waits already."""
        if not one.armed:
            one.failures += 1
            self._arm(one, backoff(one.failures, asked=fault.retry_after, rng=self._rng))

    def _arm(self, one: Waits, seconds: float | None) -> None:
        if one.armed or seconds is not None:
            self._out.append(Arm(one.name, seconds))
        one.armed = seconds is not None
        one.next_at = None if seconds is None else self._now + timedelta(seconds=seconds)

    # What a person should know

    def _tell(self) -> None:
        running = next((one for one in self.runners if one.lane is not None), None)
        waiting = [one.next_at for one in (self.line, *self.talking) if one.armed and one.next_at]
        self._set(
            phase=running.phase if running else Phase.IDLE,
            fault=next((one.fault for one in self.talking if one.fault), None),
            next_try_at=min(waiting, default=None),
        )

    def _set(self, **changes: Any) -> None:
        if any(getattr(self.status, name) != value for name, value in changes.items()):
            self.status = replace(self.status, **changes)


def _is_expired(said: Done | Failed) -> bool:
    return isinstance(said, Failed) and isinstance(said.fault, errors.TokenExpiredError)
