"""What the sync engine knows right now, for the lamps and the sync centre."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain import errors


class Phase(StrEnum):
    IDLE = "idle"
    PUSHING = "pushing"
    PULLING = "pulling"
    UPLOADING = "uploading"
    COMPARING = "comparing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """`online`: the server answered last time. `first_sync`: share loaded, None when complete.

    `metered`: recordings wait for Wi-Fi, as this person wants it.
    `compared_*`: the last comparison of all rows with the server; `compared_equal` None = never, or cut off.
    """

    phase: Phase = Phase.IDLE
    online: bool = False
    forced_offline: bool = False
    needs_sign_in: bool = False
    last_contact_at: datetime | None = None
    last_success_at: datetime | None = None
    next_try_at: datetime | None = None
    fault: errors.JorgeError | None = None
    pending: int = 0
    parked: int = 0
    conflicts: int = 0
    files: int = 0
    first_done: int = 0
    first_total: int = 0
    first_complete: bool = False
    metered: bool = False
    compared_at: datetime | None = None
    compared_equal: bool | None = None
    compared_rows: int = 0

    @property
    def running(self) -> bool:
        return self.phase is not Phase.IDLE

    @property
    def waiting_for_wifi(self) -> bool:
        """Why recordings don't move."""
        return self.metered and self.files > 0

    @property
    def error(self) -> str:
        """The last failure's words; empty when all is well."""
        return str(self.fault) if self.fault else ""

    @property
    def first_sync(self) -> float | None:
        if self.first_complete or not self.first_total:
            return None
        return min(self.first_done / self.first_total, 1.0)
