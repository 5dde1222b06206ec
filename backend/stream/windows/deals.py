"""Deals as the ledger counts them: what each news changes against the state before it, whatever the order they come in.

A deal counts where it is: it is added once, is won with its price and commission while `closed`, and is taken back when it
is not closed after all. Kept of a deal: its states of the last day, and the last one before.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeAlias

from backend.events import CommissionEvent
from backend.storage.warehouse import staging

MOST_DEALS = 100_000

Amounts: TypeAlias = tuple[int, int, int, int, int, int]
"""In the order of MONEY_MEASURES: deals added, won, lost, and the won price, gross and company cents."""


class State(NamedTuple):
    """What a deal was known to be from `moment` on; ordered by moment, then event."""

    moment: int
    event: int
    location: int
    stage: str
    price: int
    gross: int
    company: int

    def amounts(self, sign: int, added: int = 0) -> Amounts:
        won = sign * (self.stage == "closed")
        return (
            added,
            won,
            sign * (self.stage == "lost"),
            won * self.price,
            won * self.gross,
            won * self.company,
        )


class Change(NamedTuple):
    """So much more (or less) of one location at one moment."""

    moment: int
    location: int
    amounts: Amounts


def state_of(event: CommissionEvent, moment: int, location: int) -> State:
    return State(
        moment,
        event.event_id.int,
        location,
        event.stage,
        event.price_cents,
        staging.money(event)[1],
        event.company_cents or 0,
    )


class Deals:
    """By deal id, the one that was heard of longest ago first."""

    def __init__(self, most: int = MOST_DEALS) -> None:
        self._most = most
        self._deals: dict[int, list[State]] = {}
        self.dirty: set[int] = set()
        self.gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._deals)

    def numbers(self) -> Collection[int]:
        return self._deals.keys()

    def take(self, number: int, state: State, oldest: int) -> list[Change]:
        """What this news changes: itself against the state before it, and the next one against it.

        `oldest`: what is older than that moment counts nowhere.
        """
        states = self._deals.pop(number, [])
        self._deals[number] = states
        self.dirty.add(number)
        at = bisect.bisect_left(states, state)
        if states[at : at + 1] == [state]:
            return []  # the same again
        before = states[at - 1] if at else None
        after = states[at] if at < len(states) else None
        states.insert(at, state)
        changes = _step(before, state, 1)
        if after is not None:
            changes += _step(before, after, -1) + _step(state, after, 1)
        _prune(states, oldest)
        self._keep_bounds()
        return changes

    def saved(self, number: int) -> list[tuple[int | str, ...]]:
        """With the event's id as text: it is longer than 64 bits."""
        return [(s.moment, f"{s.event:x}", *s[2:]) for s in self._deals.get(number, ())]

    def put_back(self, number: int, saved: Sequence[Sequence[int | str]]) -> None:
        states = [State(s[0], int(str(s[1]), 16), *s[2:]) for s in saved]  # type: ignore[arg-type]
        self._deals[number] = sorted(states)

    def settle(self) -> None:
        """After putting back in any order: the longest unheard of first."""
        self._deals = dict(sorted(self._deals.items(), key=lambda item: item[1][-1].moment))

    def _keep_bounds(self) -> None:
        while len(self._deals) > self._most:
            number = next(iter(self._deals))
            del self._deals[number]
            self.gone.add(number)
            self.dirty.discard(number)


def _step(before: State | None, after: State, sign: int) -> list[Change]:
    """At the moment of `after`: what stood before goes, what is now comes (or, with -1, the other way round)."""
    added = sign if before is None else 0
    changes = [Change(after.moment, after.location, after.amounts(sign, added))]
    if before is not None:
        changes.append(Change(after.moment, before.location, before.amounts(-sign)))
    return changes


def _prune(states: list[State], oldest: int) -> None:
    """Of the states before `oldest` only the last matters."""
    while len(states) > 1 and states[1].moment < oldest:
        del states[0]
