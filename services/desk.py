"""A person's place at work: their store, the clock, who they are, and how sync stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import errors, ports
from services import sync_words
from services.ports import NoSync, SyncControl
from services.sync_words import SyncWord, Words
from services.user import User
from storage import blobs, cursor, database, edits, locations, marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every service of one signed-in person needs."""

    db: database.Database
    clock: ports.Clock
    user: User
    sync: SyncControl = field(default_factory=NoSync)

    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def action(self) -> Iterator[edits.Edit]:
        """One action of this person: one transaction, and one group in the outbox."""
        with self.db.write_tx() as tx:
            yield edits.start(tx, self.clock.now(), self.clock.monotonic())

    def words(self, table: str) -> Words:
        """For each row of a table, where its changes are."""
        found, status = marks.of_table(self.db, table), self.sync.status()

        def word(row_id: str) -> SyncWord:
            if row_id in found.parked or row_id in found.disputed:
                return SyncWord.NEEDS_YOU
            if row_id in found.sending or row_id in found.waiting:
                return sync_words.unsent(status, sending=row_id in found.sending)
            return SyncWord.ON_SERVER

        return word

    def sound_word(self, sound: blobs.Blob) -> SyncWord:
        """Where a recording is."""
        if sound.state is blobs.State.SENT:
            return SyncWord.ON_SERVER
        if sound.state is blobs.State.FAILED:
            return SyncWord.NEEDS_YOU
        status = self.sync.status()
        return sync_words.unsent(status, sending=sound.state is blobs.State.SENDING and not status.metered)

    def as_of(self) -> datetime | None:
        """How fresh the server's part of the store is; None = never loaded."""
        seen = cursor.clock(self.db).seen_ms
        return datetime.fromtimestamp(seen / 1000, UTC) if seen else None

    def home_location(self, wanted: str = "") -> str:
        """The location of new rows: the wanted one, else this person's first. Raises: ForbiddenError."""
        mine = self.user.location_ids
        if wanted and wanted not in mine:
            raise errors.ForbiddenError(
                "This location is not one of yours.",
                where=f"location {wanted}",
                hint="Choose one of your own.",
            )
        if not wanted and not mine:
            raise errors.ForbiddenError(
                "You have no location yet.", where="location", hint="Ask your manager to grant you one."
            )
        return wanted or mine[0]

    def zone(self) -> ZoneInfo:
        """The clock on this person's wall: their first location's."""
        for location_id in self.user.location_ids[:1]:
            found = locations.get(self.db, location_id)
            if found is not None and found.zone:
                try:
                    return ZoneInfo(found.zone)
                except (ZoneInfoNotFoundError, ValueError):
                    break
        return ZoneInfo("UTC")
