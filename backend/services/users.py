"""Making users and locations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import asyncpg

from backend.actor import Role
from backend.storage import pool, users
from domain import errors, ids

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
"""As much as the login form takes."""
_LONGEST_NAME = 200


async def create(
    deps: Deps,
    *,
    email: str,
    name: str,
    role: Role,
    password: str,
    locations: Sequence[str],
    zone: str = "",
    state: str = "",
    demo: bool = False,
) -> users.User:
    """A new user who may see `locations` (names or ids; with a `zone`, new ones are made).

    Raises: InputError, and nothing is stored.
    """
    email = _checked_email(email)
    _check_name(name, where="name")
    check_password(password, demo=demo)
    user = users.User(
        id=ids.new_id(),
        email=email,
        name=name.strip() or email,
        role=role,
        password_hash=await deps.passwords.hash(password),
        disabled=False,
        demo=demo,
    )
    async with pool.transaction(deps.pool) as connection:
        granted = await places(connection, locations, zone=zone, state=state, demo=demo)
        await _add(connection, user)
        await users.grant(connection, user.id, [place.id for place in granted])
    logger.info("users.created", extra={"user": user.id, "role": role.value})
    return user


async def _add(connection: pool.Connection, user: users.User) -> None:
    try:
        await users.add(connection, user)
    except asyncpg.UniqueViolationError as fault:
        raise errors.InputError(
            "A user with this e-mail is there already.", where="email", hint="Choose another e-mail."
        ) from fault


async def places(
    connection: pool.Connection, wanted: Sequence[str], *, zone: str, state: str, demo: bool
) -> list[users.Location]:
    """The locations of these names or ids; with a `zone`, new ones are made. Raises: InputError, also for those of the other kind."""
    found = [
        await ensure_location(connection, name=name, state=state, zone=zone, demo=demo)
        if zone
        else await location_of(connection, name)
        for name in wanted
    ]
    _check_kind(found, demo=demo)
    return found


async def ensure_location(
    connection: pool.Connection, *, name: str, state: str = "", zone: str = "UTC", demo: bool = False
) -> users.Location:
    """The location of this name, made when absent. Raises: InputError."""
    _check_name(name, where="location")
    found = await users.location_named(connection, name.strip())
    if found is not None:
        return found
    if not name.strip():
        raise errors.InputError("A location needs a name.", where="location", hint="Such as “Seattle”.")
    _check_zone(zone)
    made = users.Location(id=ids.new_id(), name=name.strip(), state=state, zone=zone, demo=demo)
    try:
        await users.add_location(connection, made)
    except asyncpg.UniqueViolationError as fault:
        raise errors.InputError(
            f"Somebody else made {made.name} at this moment.", where="location", hint="Try again."
        ) from fault
    return made


async def location_of(connection: pool.Connection, wanted: str) -> users.Location:
    _check_name(wanted, where="location")
    found = await users.location_named(connection, wanted)
    if found is None:
        known = ", ".join(place.name for place in await users.all_locations(connection)) or "none yet"
        raise errors.InputError(
            f"There is no location {wanted!r}.",
            where="location",
            hint=f"Known: {known}. Add --state and --zone to make it.",
        )
    return found


def _checked_email(email: str) -> str:
    email = email.strip()
    name, at, host = email.partition("@")
    if not (name and at and "." in host and email.isprintable() and " " not in email and len(email) <= 254):
        raise errors.InputError(
            "This is no e-mail address.", where="email", hint="It looks like name@example.com."
        )
    return email


def _check_name(name: str, *, where: str) -> None:
    """One printable line: it goes into lists, logs and terminals. Raises: InputError."""
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise errors.InputError(
            f"This {where} has characters that can't be shown, or more than {_LONGEST_NAME} of them.",
            where=where,
            hint="One line of ordinary letters, please.",
        )


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as fault:
        raise errors.InputError(
            f"There is no time zone {zone!r:.60}.", where="zone", hint="It looks like America/Los_Angeles."
        ) from fault


def _check_kind(granted: Sequence[users.Location], *, demo: bool) -> None:
    """Demo and real data never mix: a user would not even see a location of the other kind."""
    if any(place.demo is not demo for place in granted):
        raise errors.InputError(
            "This office belongs to the demo; real users and data never go there.",
            where="location",
            hint="Choose an empty folder with JORGE_DATA_DIR, or another DATABASE_URL.",
        )


def check_password(password: str, *, demo: bool) -> None:
    """Raises: InputError."""
    if len(password) > LONGEST_PASSWORD:
        raise errors.InputError(
            f"The password is too long (at most {LONGEST_PASSWORD} characters).",
            where="password",
            hint="A few words in a row are long and easy to remember.",
        )
    if not demo and len(password.strip()) < SHORTEST_PASSWORD:
        raise errors.InputError(
            f"The password is too short (at least {SHORTEST_PASSWORD} characters).",
            where="password",
            hint="A few words in a row are long and easy to remember.",
        )
