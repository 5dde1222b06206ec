"""One lane of the machine and how it fares; what waits after a failure, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain import errors
from sync.effects import Ask
from sync.lanes import Lane, Pace
from sync.status import Phase

LONGEST_WAIT = 300.0


def backoff(failures: int, *, asked: float | None = None, rng: random.Random) -> float:
    """Seconds to wait: full jitter up to 2^failures, at most 300; never less than the server asked for."""
    wait = rng.uniform(0.0, min(LONGEST_WAIT, 2.0 ** min(failures, 30)))
    return wait if asked is None else asked + wait


@dataclass(slots=True, kw_only=True, eq=False)
class Waits:
    """What fails, and is tried again later. `armed`: a timer of this name runs, until `next_at`."""

    name: str
    failures: int = 0
    armed: bool = False
    next_at: datetime | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Runner(Waits):
    """One lane. `lane` is None while it rests; `id` is what it waits for, `ask` the request under way (sent again with a new
    token).

    `urged`: to be tried although the line is down. `moved`: something came through in this run. `asleep`: no timer helps,
    the app is too old.
    """

    phase: Phase
    make: Callable[[Pace], Lane]
    wanted: bool = False
    urged: bool = False
    lane: Lane | None = None
    id: int = 0
    ask: Ask | None = None
    renewing: bool = False
    renewed: bool = False
    moved: bool = False
    asleep: bool = False
    fault: errors.JorgeError | None = None

    def drop(self) -> None:
        """Stop in the middle: every step it took is whole, and the next run goes on from there."""
        if self.lane is not None:
            self.lane.close()
        self.lane, self.ask, self.renewing, self.id = None, None, False, 0
