"""Who is asking: the signed-in person, with role and locations, as every service receives them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person on a device. `locations` are the ids of the offices whose data they may see.

    `token`: tells their access token from others, without telling it. No store keeps one, so that no two runs of the app
    share it.
    """

    id: str
    role: Role
    locations: frozenset[str]
    device_id: str
    session_id: str
    token: str = ""
    email: str = ""
    name: str = ""
    demo: bool = False
