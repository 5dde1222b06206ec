"""What a fault of PostgreSQL or Valkey says: is it away, is it busy, or is what we gave it at fault? One place for every loop that waits."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import asyncpg
from redis import exceptions as redis_errors

NO_DATABASE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a connection ends in the middle of something
)
"""What is raised where PostgreSQL is away, ends the connection, or does not do what it is asked."""

NO_VALKEY = (redis_errors.ConnectionError, redis_errors.TimeoutError, OSError, TimeoutError)
"""What is raised where Valkey does not answer."""

FROM_VALKEY = (redis_errors.RedisError, OSError, TimeoutError)
"""The same, or it does not do what it is asked."""

AWAY = (*NO_DATABASE, redis_errors.RedisError)
"""For loops that use both: wait, and begin again."""

UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, no memory, a full disk
    asyncpg.QueryCanceledError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    ConnectionError,
    TimeoutError,
)
"""What a request or a socket meets while a part of the server is not there: nobody is at fault, and trying again helps."""

# By class: connection, transaction state (also: read-only), who may connect, no such database, rollback, resources, object in use,
# operator's intervention, the disk, the configuration.
_PASSING = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58", "F0"})
# Value, constraint, a trigger's RAISE, a limit of the program.
_DATA = frozenset({"22", "23", "P0", "54"})


class Blame(StrEnum):
    """Whose fault it is that something could not be stored."""

    DATA = "data"
    """What was given: it will never be taken as it is."""
    NOBODY = "nobody"
    """It passes: PostgreSQL is away, full, busy, or was told to stop."""
    UNKNOWN = "unknown"


def sqlstate(fault: BaseException) -> str:
    """Five characters, or nothing where it is no answer of PostgreSQL."""
    return str(getattr(fault, "sqlstate", None) or "")


def blame(fault: BaseException) -> Blame:
    """Of a fault that came up while something was stored."""
    if code := sqlstate(fault)[:2]:
        return Blame.DATA if code in _DATA else Blame.NOBODY if code in _PASSING else Blame.UNKNOWN
    if isinstance(fault, ValueError | TypeError | OverflowError):
        return Blame.DATA
    return Blame.NOBODY if isinstance(fault, AWAY) else Blame.UNKNOWN


def named(fault: BaseException) -> Mapping[str, str]:
    """For a log: what it is, never what it says of the values."""
    code = sqlstate(fault)
    return {"fault": type(fault).__name__} | ({"sqlstate": code} if code else {})
