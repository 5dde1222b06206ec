"""Marks of who wrote a change: "made on this device by this person", telling neither to anybody else.

A copy of a device's store (a phone's backup put on another phone) bears the same device id. What tells the two apart is the
access token, which no store keeps: each run of the app has its own.
"""

from __future__ import annotations

import hashlib


def store_of(device_id: str, user_id: str) -> str:
    """One person's store on one device, and every copy of it."""
    return hashlib.sha256(f"{device_id}\n{user_id}".encode()).hexdigest()[:16]


def origin(device_id: str, user_id: str, token: str) -> str:
    """The same, in one run of the app. `token`: see Actor."""
    return f"{store_of(device_id, user_id)}.{token}"


def store_in(origin: str) -> str:
    """The store of an origin, without the run of the app."""
    return origin.partition(".")[0]


def same_store(one: str | None, other: str) -> bool:
    """Whether two origins are of one store (or its copies); those of the server itself are of none."""
    return bool(one and other) and store_in(str(one)) == store_in(other)
