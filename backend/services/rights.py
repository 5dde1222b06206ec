"""What a person may see now, and what they might change when they did.

An edit is judged by the moment it was made, so that a day's work on the road is not lost with a location that was taken
away meanwhile. That moment is what the device says, within limits (merge.clamp_edit_ms): whoever forges it gains no more
than to go on changing, unseen, rows they knew, for GRACE after the end (docs/decisions/0007).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from backend.actor import Actor, Role
from backend.storage.history import Span
from backend.storage.rows import Stored
from backend.storage.store import Changes

GRACE = timedelta(days=30)
"""So long after a grant's end, or after a row's move, edits from before it are taken."""

MOVERS = frozenset({Role.MANAGER, Role.ADMIN})
"""Who may move a lead, between locations that they have both."""


@dataclass(slots=True, kw_only=True)
class Rights:
    """Of one person. The past is only looked up for what they may not see now."""

    store: Changes
    actor: Actor
    now_ms: int
    _ended: Sequence[Span] | None = None
    _left: dict[tuple[str, str], Sequence[Span]] = field(default_factory=dict)

    def sees(self, row: Stored) -> bool:
        return row.scope in self.actor.locations

    async def might(self, scope: str, at_ms: int | None) -> bool:
        """Write into this location at that moment (Unix ms; None: at any within GRACE), or now."""
        return scope in self.actor.locations or any(
            span.scope == scope and self._counts(span, at_ms) for span in await self._grants()
        )

    async def might_change(self, row: Stored, at_ms: int | None) -> bool:
        """This row, where it lay at that moment or where it lies now."""
        if await self.might(row.scope, at_ms):
            return True
        left = [span for span in await self._scopes(row) if self._counts(span, at_ms)]
        return any([await self.might(span.scope, at_ms) for span in left])

    async def might_add_file(self, note: Stored, lead: Stored | None) -> bool:
        """Add its sound to a note of theirs, where it or its lead lies or lay.

        That the note is here says that they might write it when they did: the hour of its making is not asked again.
        """
        if note.values["agent_id"] != self.actor.id:
            return False
        return any([await self.might_change(row, None) for row in (note, lead) if row is not None])

    async def ever_saw(self, row: Stored) -> bool:
        """The row lies or lay where this person is or was: enough for an opt-out."""
        places = self.actor.locations | _scopes_of(await self._grants())
        return row.scope in places or not places.isdisjoint(_scopes_of(await self._scopes(row)))

    def _counts(self, span: Span, at_ms: int | None) -> bool:
        fresh = span.until_ms >= self.now_ms - GRACE / timedelta(milliseconds=1)
        return fresh and (at_ms is None or span.from_ms <= at_ms < span.until_ms)

    async def _grants(self) -> Sequence[Span]:
        if self._ended is None:
            self._ended = await self.store.past_grants(self.actor.id)
        return self._ended

    async def _scopes(self, row: Stored) -> Sequence[Span]:
        key = (row.table.name, row.id)
        if key not in self._left:
            self._left[key] = await self.store.past_scopes(key)
        return self._left[key]


def _scopes_of(spans: Iterable[Span]) -> set[str]:
    return {span.scope for span in spans}
