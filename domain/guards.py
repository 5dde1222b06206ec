"""States that move by rules: what counts when two people, or a person and the server, moved one at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from domain import tables

State = Mapping[str, Any]


class Verdict(Enum):
    KEEP = auto()  # the server's stays, and nobody need be told
    TAKE = auto()  # the incoming one counts, and nobody need be told
    NEWEST = auto()  # as with any other field
    REFUSE = auto()  # what its author wanted to change from is no longer so: a person looks again


def decide(table: tables.Table, unit: str, server: State, mine: State) -> Verdict:
    """For a unit of the policy "guarded" that somebody else changed to another value."""
    return _RULES[(table.name, unit)](server, mine)


def _further_on(server: State, mine: State) -> Verdict:
    """A note that a person has reviewed is not to be reviewed again because a transcript came late."""
    places = {state: place for place, state in enumerate(tables.NOTE_STATES)}
    return Verdict.TAKE if places.get(mine["state"], 0) > places.get(server["state"], 0) else Verdict.KEEP


def _done_once(server: State, mine: State) -> Verdict:
    """Done twice is done; done here and put back there is as newest."""
    return Verdict.KEEP if server["done_at"] and mine["done_at"] else Verdict.NEWEST


def _decided_once(server: State, mine: State) -> Verdict:
    """The first decision stands; the second one's author hears that there is one."""
    if server["status"] != "resolved" and server["resolution"] is None:
        return Verdict.TAKE  # nobody has
    same = all(server[name] == mine.get(name, server[name]) for name in ("status", "resolution"))
    return Verdict.KEEP if same else Verdict.REFUSE


_RULES: Mapping[tuple[str, str], Callable[[State, State], Verdict]] = {
    (tables.NOTES.name, "state"): _further_on,
    (tables.TASKS.name, "done_at"): _done_once,
    (tables.CONFLICTS.name, "resolution"): _decided_once,
}
