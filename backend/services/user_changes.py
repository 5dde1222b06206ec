"""Changing a user: disabled or enabled again, another role, other locations, a new password. It counts at once.

Every request and every check of a socket asks the tables for role and locations, so nothing has to be told to anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from backend.actor import Role
from backend.services.users import check_password, location_of, places
from backend.storage import audit as log
from backend.storage import pool, sessions, users
from domain import errors, ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

COMMAND = "change-user"
COMMAND_LINE = "command line"
"""Who did it, in the audit log: whoever may run commands on the server is nobody of the users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What shall be otherwise; None and empty: as it is. Locations are names or ids; with a `zone`, new ones are made.

    `locations`: these and no others.
    """

    disabled: bool | None = None
    role: Role | None = None
    locations: Sequence[str] | None = None
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    zone: str = ""
    state: str = ""
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The user as they are now, what they see, and whether all their sign-ins ended."""

    user: users.User
    locations: Sequence[users.Location]
    signed_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From what a user was to what they shall be; `gained` and `lost` are ids of locations."""

    before: users.User
    after: users.User
    gained: Sequence[str]
    lost: Sequence[str]

    @property
    def nothing(self) -> bool:
        return self.before == self.after and not self.gained and not self.lost

    @property
    def turned(self) -> bool:
        return self.before.disabled is not self.after.disabled

    @property
    def new_password(self) -> bool:
        return self.before.password_hash != self.after.password_hash

    @property
    def ends_sign_ins(self) -> bool:
        """Also of who is enabled: a sign-in from before does not come back to life."""
        return self.turned or self.new_password

    @property
    def detail(self) -> Mapping[str, object]:
        """For the audit log: ids and what changed."""
        told = {
            "role": self.after.role.value if self.after.role is not self.before.role else None,
            "disabled": self.after.disabled if self.turned else None,
            "granted": self.gained or None,
            "revoked": self.lost or None,
            "password": self.new_password or None,
        }
        return {"user": self.before.id} | {name: one for name, one in told.items() if one is not None}


async def change(deps: Deps, email: str, wanted: Change) -> Changed:
    """All of it and its entry in the audit log, or nothing. Raises: InputError."""
    if wanted.locations is not None and (wanted.added or wanted.removed):
        raise errors.InputError(
            "Either say all locations, or what comes and goes.",
            where="locations",
            hint="--locations sets them all; --add-location and --remove-location leave the others.",
        )
    hashed = await _hashed(deps, wanted.password)
    async with pool.transaction(deps.pool) as connection:
        step = await _step(connection, await _known(connection, email), wanted, hashed)
        if step.nothing:
            raise errors.InputError(
                "There is nothing to change.",
                where=COMMAND,
                hint="All of this is so already, or nothing was asked for; --help lists what can be changed.",
            )
        await _check_admins(connection, step)
        await _stored(deps, connection, step)
        seen = await users.locations_of(connection, step.after)
        await log.turn_to(connection)
        await log.append(connection, [_entry(deps, step)])
    logger.info("users.changed", extra={"user": step.after.id, "role": step.after.role.value})
    return Changed(user=step.after, locations=seen, signed_out=step.ends_sign_ins)


async def _hashed(deps: Deps, password: str | None) -> str | None:
    """Before the transaction: it takes its time."""
    if password is None:
        return None
    check_password(password, demo=False)
    return await deps.passwords.hash(password)


async def _known(connection: pool.Connection, email: str) -> users.User:
    found = await users.to_change(connection, email.strip()) if email.isprintable() else None
    if found is None:
        raise errors.InputError(
            "There is no user with this e-mail.", where="email", hint="`create-user` makes new ones."
        )
    return found


async def _step(connection: pool.Connection, before: users.User, wanted: Change, hashed: str | None) -> _Step:
    gained, lost = await _moves(connection, before, wanted)
    after = replace(
        before,
        disabled=before.disabled if wanted.disabled is None else wanted.disabled,
        role=wanted.role or before.role,
        password_hash=hashed or before.password_hash,
    )
    return _Step(before=before, after=after, gained=gained, lost=lost)


async def _moves(
    connection: pool.Connection, user: users.User, wanted: Change
) -> tuple[list[str], list[str]]:
    """Ids of the locations that come, and of those that go."""
    had = {place.id for place in await users.granted_to(connection, user.id)}
    come = wanted.added if wanted.locations is None else wanted.locations
    coming = await places(connection, come, zone=wanted.zone, state=wanted.state, demo=user.demo)
    added = {place.id for place in coming}
    if wanted.locations is not None:
        return sorted(added - had), sorted(had - added)
    removed = set()
    for name in wanted.removed:
        place = await location_of(connection, name)
        if place.id in added:
            raise _cannot_go(place, "is named both to add and to remove")
        if place.id not in had:
            raise _cannot_go(place, "was not granted to this user")
        removed.add(place.id)
    return sorted(added - had), sorted(removed)


def _cannot_go(place: users.Location, why: str) -> errors.InputError:
    return errors.InputError(
        f"{place.name} {why}.", where="location", hint="Administrators see every location by their role."
    )


async def _check_admins(connection: pool.Connection, step: _Step) -> None:
    """Raises: InputError where nobody would be left who may administer."""
    was, is_still = (user.role is Role.ADMIN and not user.disabled for user in (step.before, step.after))
    if was and not is_still and not await users.has_other_admins(connection, step.before):
        raise errors.InputError(
            "This is the last administrator.",
            where="role",
            hint="Make or enable another one first: `create-user --role admin`.",
        )


async def _stored(deps: Deps, connection: pool.Connection, step: _Step) -> None:
    before, after = step.before, step.after
    await users.grant(connection, after.id, step.gained)
    await users.revoke(connection, after.id, step.lost)
    if before.role is not after.role:
        if before.role is Role.ADMIN:
            await users.remember_admin(connection, after.id)
        await users.set_role(connection, after.id, after.role)
    if step.turned:
        await (users.disable if after.disabled else users.enable)(connection, after.id)
    if step.new_password:
        await users.set_password(connection, after.id, after.password_hash)
    if step.ends_sign_ins:
        why = "disabled" if after.disabled else "enabled" if step.turned else "new password"
        await sessions.revoke_user(connection, after.id, why=why, now=deps.clock.now())


def _entry(deps: Deps, step: _Step) -> log.Entry:
    return log.Entry(
        id=ids.new_id(),
        at=deps.clock.now(),
        actor_id=None,
        role=COMMAND_LINE,
        session_id=None,
        action="change_user",
        outcome="allowed",
        resource=f"python -m backend {COMMAND}",
        locations=tuple(sorted({*step.gained, *step.lost})),
        detail=orjson.dumps(step.detail, option=orjson.OPT_SORT_KEYS).decode(),
    )
