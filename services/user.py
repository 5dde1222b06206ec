"""Who is signed in on this device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with a role and the locations that they may see."""

    id: str
    name: str
    email: str
    role: Role
    location_ids: tuple[str, ...] = ()

    @property
    def is_executive(self) -> bool:
        """Managers and admins: their home is the command centre, and money is theirs to edit."""
        return self.role is not Role.AGENT
