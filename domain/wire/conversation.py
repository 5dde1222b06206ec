"""The whole talk of a device with its server, as one protocol: the client implements it over HTTP, the server in place.

Each call is one request. Each may be repeated, come late or be lost, and no harm is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from domain.wire.changes import Push
from domain.wire.compare import DigestAsk, Digests, RangeRows, RowsAsk
from domain.wire.pages import Page
from domain.wire.results import PushAnswer
from domain.wire.version import PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class PullAsk:
    """The page after `cursor` ("" = from the start), of at most about `limit` rows.

    `changes`: rows that the device has at this cursor may come as the fields that changed (else every row comes whole).
    `device_id` leaves out what only this store wrote ("" = leave nothing out); `pending`, `parked`, `oldest_ms` tell
    the server what waits on the device, for the list of devices that lag.
    """

    cursor: str = ""
    limit: int = PAGE
    scope: str = ""
    device_id: str = ""
    changes: bool = False
    pending: int = 0
    parked: int = 0
    oldest_ms: int = 0


class Conversation(Protocol):
    """Raises everywhere: NetworkError, AccessError, VersionMismatchError."""

    async def push(self, push: Push) -> PushAnswer:
        """Raises also: InputError, DeviceForkedError."""

    async def pull(self, ask: PullAsk) -> Page:
        """Raises also: ResyncError when the cursor leads nowhere."""

    async def digests(self, ask: DigestAsk) -> Digests: ...

    async def rows(self, ask: RowsAsk) -> RangeRows: ...
