"""Where a change is on its way, in one of five words: the same five wherever a change is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

RECENT = timedelta(minutes=10)
"""The engine looks at least once a minute. After ten without an answer nobody may say "the server has everything"."""


class SyncWord(StrEnum):
    """On phone = no network; waiting = its turn comes; needs you = a person must decide."""

    ON_PHONE = "on_phone"
    WAITING = "waiting"
    SENDING = "sending"
    ON_SERVER = "on_server"
    NEEDS_YOU = "needs_you"


Words = Callable[[str], SyncWord]
"""For a row's id, where its changes are."""


_BEHIND = (
    SyncWord.NEEDS_YOU,
    SyncWord.ON_PHONE,
    SyncWord.WAITING,
    SyncWord.SENDING,
    SyncWord.ON_SERVER,
)


def furthest_behind(*words: SyncWord) -> SyncWord:
    """The word of a thing that has several parts, such as a note and its sound."""
    return min(words, key=_BEHIND.index)


class Line(Protocol):
    """What of the engine's status decides the word."""

    @property
    def online(self) -> bool: ...
    @property
    def forced_offline(self) -> bool: ...
    @property
    def last_contact_at(self) -> datetime | None: ...


def unsent(line: Line, *, sending: bool) -> SyncWord:
    """The word of a change or a file that the server does not have."""
    if not line.online or line.forced_offline:
        return SyncWord.ON_PHONE
    return SyncWord.SENDING if sending else SyncWord.WAITING


def heard_recently(line: Line, now: datetime) -> bool:
    """Whether what we know of the server is fresh enough to speak for it."""
    return (
        line.online
        and not line.forced_offline
        and line.last_contact_at is not None
        and now - line.last_contact_at < RECENT
    )
