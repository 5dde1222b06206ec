"""What goes into the sync machine and what comes out of it: values only, nothing here does anything.

Inputs: what happened. Outputs: what the shell (sync/engine.py, or the simulation) is to do. Each `Send`, `Store` and
`Refresh` is answered by one `Done` or `Failed` of the same id; an answer with an id that nobody waits for is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from domain import errors, ports, wire
from storage.database import Database, Reads
from sync.files import Offer, Offset, Part

Ask = wire.Push | wire.PullAsk | wire.DigestAsk | wire.RowsAsk | Offer | Offset | Part
"""One request: sync/codec.py makes HTTP of it, and an answer of HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a step works: one person's store, and the clock beside it."""

    db: Database
    clock: ports.Clock


@runtime_checkable
class Step(Protocol):
    """One transaction of the store (or one look into it): sync/steps.py."""

    def run(self, device: Device, /) -> Any:
        """Raises: StoreError, DiskFullError, NetworkError for an answer that can't be ours."""


@runtime_checkable
class Look(Protocol):
    """A step that only reads, and for long: the shell may do it in a thread, on a connection of its own."""

    def look(self, reads: Reads, /) -> Any: ...


# Inputs


class Why(StrEnum):
    COMMIT = "commit"  # a person wrote something
    NEWS = "news"  # the server's poke, or a fresh connection
    LOOK = "look"  # the regular look; leaves lanes that wait after a failure alone
    PERSON = "person"  # a button: at once, whatever the timers say


@dataclass(frozen=True, slots=True)
class Wake:
    why: Why


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer that `Arm` set has run out."""

    timer: str


@dataclass(frozen=True, slots=True)
class Done:
    """`seconds`: how long it took, by a monotonic clock."""

    id: int
    value: Any
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    id: int
    fault: errors.JorgeError


@dataclass(frozen=True, slots=True)
class ForceOffline:
    """A person's switch: while it is on, nothing is sent."""

    on: bool


@dataclass(frozen=True, slots=True)
class Metered:
    """The connection costs money by the byte, and recordings shall wait for Wi-Fi."""

    on: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """Compare everything with the server now, contents included."""


Input = Wake | Tick | Done | Failed | ForceOffline | Metered | Audit


# Outputs


@dataclass(frozen=True, slots=True)
class Send:
    id: int
    ask: Ask


@dataclass(frozen=True, slots=True)
class Store:
    id: int
    step: Step


@dataclass(frozen=True, slots=True)
class Refresh:
    """A new access token, please: the server did not take the one we have."""

    id: int


@dataclass(frozen=True, slots=True)
class Arm:
    """Say `Tick(timer)` after `seconds`; a timer of the same name is replaced, None takes it away."""

    timer: str
    seconds: float | None


Output = Send | Store | Refresh | Arm
