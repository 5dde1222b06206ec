"""What a simulation asks of a server, whichever it is: the model in memory, or FastAPI on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.simulation import tus
from tests.simulation.http import Answer, Request
from tests.simulation.world import Clock

Fresh = Sequence[tuple[str, Mapping[str, Any]]]
"""Leads to insert: id and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one row. `before` None: it was made. `by_device`: a person's phone wrote it."""

    table: str
    row_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    was_dead: bool
    is_dead: bool
    by_device: bool


class Server(Protocol):
    """Faults that a server can't have by real means do nothing to it."""

    real: bool
    clock: Clock
    uploads: tus.Uploads
    newer: bool
    too_old_until: int
    on_news: Callable[[], None]

    def handle(self, request: Request) -> Answer:
        """Raises: ServerKilled."""

    def cut_off(self, request: Request) -> None:
        """Only the beginning of the body arrived."""

    def add_location(self, location_id: str, name: str) -> None: ...

    def add_user(self, user_id: str, name: str, role: str, locations: set[str]) -> None: ...

    def grant(self, user_id: str, location: str) -> None: ...

    def revoke(self, user_id: str, location: str) -> None: ...

    def sign_in(self, user_id: str) -> str:
        """A refresh token."""

    def expire_tokens(self) -> None: ...

    def break_refresh(self, broken: bool) -> None: ...

    def disable(self, user_id: str, disabled: bool) -> None: ...

    def founded(self) -> None:
        """No failover reaches behind this point."""

    def import_leads(self, fresh: Fresh) -> None: ...

    def living_leads(self) -> list[tuple[str, str]]: ...

    def children(self, lead_id: str) -> list[tuple[str, str]]: ...

    def move(self, table: str, row_id: str, location: str) -> bool: ...

    def kill_next(self, when: str) -> None: ...

    def deadlock_next(self, times: int) -> None: ...

    def hold(self, held: str | None, change: Mapping[str, Any], fresh: Fresh) -> Callable[[], None]: ...

    @property
    def is_held(self) -> bool: ...

    def lose(self, *, commits: int = 0, since_ms: int | None = None) -> int: ...

    def prune(self, keep: int) -> None: ...

    def all_off(self) -> None: ...

    def stamp(self) -> set[str]: ...

    def locations_of(self, user_id: str) -> frozenset[str]: ...

    def rows(self, scopes: frozenset[str]) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]: ...

    def is_untouched(self, table: str, row_id: str) -> bool: ...

    def uploads_of(self, note_id: str) -> list[str]: ...

    def past(self) -> list[Version]:
        """Every version of every row in this life of the database, in order."""

    def close(self) -> None: ...
