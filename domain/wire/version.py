"""The version of the protocol, and its limits."""

from __future__ import annotations

from domain import errors

PROTOCOL = 1
"""Raised when an older device could misread a newer server, or the other way round."""

PROTOCOL_HEADER = "X-Jorge-Protocol"
SCHEMA = 1
"""The tables' version (domain/tables.py): raised with each field that is added, renamed or taken away."""

FIRST_SCHEMA = 1
"""What a mutation means that names none."""

SCHEMA_HEADER = "X-Jorge-Schema"
DEVICE_HEADER = "X-Jorge-Device"
TIME_HEADER = "X-Jorge-Time"
"""`server_ms` of a pull's answer that has no body (204): nothing is new, the cursor stays."""

QUEUE_HEADER = "X-Jorge-Queue"
"""`<pending>,<parked>,<edit_ms of the oldest>` of the device's outbox; not sent while all are 0."""

FROM_NOW = "now"
"""Instead of a cursor: nothing but a cursor at the feed's head. For a device that compares what it has by digests."""

MAX_MUTATIONS = 200
MAX_PAGE = 5000
PAGE = 1000
"""Rows of a page where a pull names no other number."""


def check_protocol(theirs: object) -> None:
    """Raises: VersionMismatchError when the other side speaks another protocol."""
    if theirs != PROTOCOL:
        said = str(theirs)[:20] if isinstance(theirs, int | str) else ""
        said = said if said.isprintable() and said else "of no number"
        raise errors.VersionMismatchError(
            f"The other side speaks sync protocol {said}, this one speaks {PROTOCOL}.",
            where="protocol",
            hint="Update the older of app and server; nothing is lost, unsent work stays on the device.",
        )
