"""The version of the protocol, and its limits."""

from __future__ import annotations

from domain import errors

PROTOCOL = 1
"""Raised when an older device could misread a newer server, or the other way round."""

PROTOCOL_HEADER = "X-Jorge-Protocol"
MAX_MUTATIONS = 200
MAX_PAGE = 5000


def check_protocol(theirs: object) -> None:
    """Raises: VersionMismatchError when the other side speaks another protocol."""
    if theirs != PROTOCOL:
        raise errors.VersionMismatchError(
            f"The other side speaks sync protocol {theirs!r}, this one speaks {PROTOCOL}.",
            where="protocol",
            hint="Update the older of app and server; nothing is lost, unsent work stays on the device.",
        )
