"""Where a change is on its way, in one of five words."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class SyncWord(StrEnum):
    """On phone = no network; waiting = its turn comes; needs you = a person must decide."""

    ON_PHONE = "on_phone"
    WAITING = "waiting"
    SENDING = "sending"
    ON_SERVER = "on_server"
    NEEDS_YOU = "needs_you"


Words = Callable[[str], SyncWord]
"""For a row's id, where its changes are."""
