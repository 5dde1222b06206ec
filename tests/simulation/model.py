"""The server as a model: the real decisions of backend/services on rows in memory, and what its people do to it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from backend.actor import Role
from backend.storage.history import Span
from backend.storage.rows import Stored
from domain import tables, values
from tests.simulation.accounts import User
from tests.simulation.face import Face, driven
from tests.simulation.server import Fresh, Version
from tests.simulation.transaction import Transaction
from tests.simulation.world import World


class Model(Face):
    """`server.Server`, without a database or a socket."""

    real = False

    def __init__(self, world: World, folder: Path | None = None) -> None:
        super().__init__(world)
        self._granted: dict[tuple[str, str], int] = {}
        self._founded = 0

    # What the brokerage does

    def add_location(self, location_id: str, name: str) -> None:
        row = {"location_id": location_id, "created_at": self._time(), "name": name, "state": "CA"}
        self.write(lambda work: work.insert(tables.LOCATIONS, location_id, row))

    def add_user(self, user_id: str, name: str, role: str, locations: set[str]) -> None:
        self.accounts.users[user_id] = User(id=user_id, name=name, role=Role(role))
        for location in sorted(locations):
            self.grant(user_id, location)

    def grant(self, user_id: str, location: str) -> None:
        """As the trigger people_follow_grants does it."""
        user = self.accounts.users[user_id]
        if location in user.locations:
            return
        user.locations.add(location)
        self._granted[(user_id, location)] = self._ms()
        known = self._person(user_id, location)
        if known is not None:
            there = known
            self.write(lambda work: work.restore(there, {}, edit_ms=self._ms()))
            return
        row = {
            "location_id": location,
            "created_at": self._time(),
            "user_id": user_id,
            "name": user.name,
            "role": user.role.value,
        }
        self.write(lambda work: work.insert(tables.PEOPLE, self.world.new_id(), row))

    def revoke(self, user_id: str, location: str) -> None:
        user = self.accounts.users[user_id]
        known = self._person(user_id, location)
        if location in user.locations and known:
            user.locations.discard(location)
            since = self._granted.pop((user_id, location))
            span = Span(scope=location, from_ms=since, until_ms=self._ms())

            async def end(work: Transaction) -> None:
                work.ended(user_id, span)
                await work.delete(known, edit_ms=self._ms())

            self.write(end)

    def sign_in(self, user_id: str) -> str:
        """A refresh token."""
        return self.accounts.sign_in(user_id)

    def expire_tokens(self) -> None:
        self.accounts.expire_all()

    def break_refresh(self, broken: bool) -> None:
        self.accounts.refresh_broken = broken

    def disable(self, user_id: str, disabled: bool) -> None:
        self.accounts.users[user_id].disabled = disabled

    def founded(self) -> None:
        """No failover reaches behind this point."""
        self._founded = len(self.memory.commits)

    def import_leads(self, fresh: Fresh) -> None:
        """What another program writes, in one transaction."""

        async def write(work: Transaction) -> None:
            for row_id, lead in fresh:
                await work.insert(tables.LEADS, row_id, lead)

        self.write(write)

    def living_leads(self) -> list[tuple[str, str]]:
        """(id, location), in order."""
        found = [
            row for (name, _), row in self.memory.data.rows.items() if name == "leads" and not row.deleted
        ]
        return sorted((row.id, row.scope) for row in found)

    def children(self, lead_id: str) -> list[tuple[str, str]]:
        """(table, id) of what belongs to the lead."""
        rows = self.memory.data.rows
        return sorted(key for key, row in rows.items() if row.values.get("lead_id") == lead_id)

    def move(self, table: str, row_id: str, location: str) -> bool:
        """A manager moves a row to another location, on the server."""
        row = self.memory.data.rows.get((table, row_id))
        if row is None or row.deleted or row.scope == location or (table, row_id) in self.memory.locked:
            return False
        there = row
        self.write(lambda work: work.update(there, {"location_id": location}, edit_ms=self._ms()))
        return True

    def write(self, do: Callable[[Transaction], Coroutine[Any, Any, Any]]) -> None:
        """The server itself writes, in a transaction of its own."""
        driven(self._written(do))
        self.on_news()

    async def _written(self, do: Callable[[Transaction], Coroutine[Any, Any, Any]]) -> None:
        async with self.memory.transaction() as work:
            await do(work)

    # What goes wrong with it

    def kill_next(self, when: str) -> None:
        """ "before" or "after" the commit of the next request that writes."""
        self.memory.die = when

    def deadlock_next(self, times: int) -> None:
        self.memory.deadlocks = times

    def hold(self, held: str | None, change: Mapping[str, Any], fresh: Fresh) -> Callable[[], None]:
        """A long transaction takes its numbers of the log and its lock now; the answer commits it."""
        memory, key = self.memory, ("leads", held or "")
        work = memory.begin(lines=len(fresh) + (held is not None))
        memory.locked = {key} if held else set()

        async def write() -> None:
            async with memory.going_on(work):
                if key in memory.locked:
                    await work.update(memory.data.rows[key], change, edit_ms=self._ms())
                for row_id, lead in fresh:
                    await work.insert(tables.LEADS, row_id, lead)

        def commit() -> None:
            driven(write())
            memory.locked.clear()
            self.on_news()

        return commit

    @property
    def is_held(self) -> bool:
        return bool(self.memory.locked)

    def lose(self, *, commits: int = 0, since_ms: int | None = None) -> int:
        """The last commits are gone, another life begins. How many were lost."""
        if since_ms is not None:
            commits = sum(commit.at_ms >= since_ms for commit in self.memory.commits)
        self.memory.locked.clear()
        lost = self.memory.rewind(min(commits, len(self.memory.commits) - self._founded))
        for user in self.accounts.users.values():  # the grants went back with the rest
            user.locations = {place for place in self._places() if self._holds(user.id, place)}
            for place in user.locations:
                self._granted.setdefault((user.id, place), 0)
        return lost

    def _places(self) -> list[str]:
        return sorted(row.id for (name, _), row in self.memory.data.rows.items() if name == "locations")

    def _holds(self, user_id: str, place: str) -> bool:
        person = self._person(user_id, place)
        return person is not None and not person.deleted

    def prune(self, keep: int) -> None:
        self.memory.prune(keep)

    def all_off(self) -> None:
        """No more faults."""
        self.memory.die, self.memory.deadlocks = "", 0
        self.uploads.between.clear()
        self.accounts.refresh_broken = False
        self.too_old_until = 0

    # What is there

    def stamp(self) -> set[str]:
        """Number what is committed; the locations with news."""
        return self.memory.stamp()

    def locations_of(self, user_id: str) -> frozenset[str]:
        return frozenset(self.accounts.users[user_id].locations)

    def rows(self, scopes: frozenset[str]) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
        """(table, id) → version and values of what these locations hold."""
        return {key: (row.ver, dict(row.values)) for key, row in self.memory.visible(scopes).items()}

    def is_untouched(self, table: str, row_id: str) -> bool:
        """As it was made: nobody changed, moved or deleted it."""
        row = self.memory.data.rows.get((table, row_id))
        return row is not None and row.ver == 1

    def uploads_of(self, note_id: str) -> list[str]:
        """SHA-256 of the whole files that are here for a note."""
        return [upload.sha256 for upload in self.uploads.of_note(note_id) if upload.done]

    def past(self) -> list[Version]:
        """Every version of every row in this life of the database, in order."""
        return [
            Version(
                table=write.table,
                row_id=write.row_id,
                before=write.before.values if write.before else None,
                after=write.after.values,
                was_dead=write.before is not None and write.before.deleted,
                is_dead=write.after.deleted,
                by_device=bool(write.origin),
            )
            for write in self.memory.history
        ]

    def close(self) -> None: ...

    def _person(self, user_id: str, location: str) -> Stored | None:
        return next(
            (
                row
                for (table, _), row in self.memory.data.rows.items()
                if table == "people" and (row.values["user_id"], row.scope) == (user_id, location)
            ),
            None,
        )

    def _ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)

    def _time(self) -> str:
        return values.time_text(self.clock.now())
