"""Changed fields as people read them: what they wrote, without what our rules added to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from domain import errors, values
from views.agent import review_words
from views.parts import formats

_NUMBER = re.compile(r"\d(?:[\d,]*\d)?")
_ADDED = {
    "price_on",
    "consent_at",
    "opted_out_at",
    "answer_due_at",
    "last_touch_at",
    "last_inbound_at",
    "resolved_at",
}
_PLUMBING = {
    "id",
    "kind",
    "status",
    "state",
    "tbl",
    "row_id",
    "resolved_by",
    "lat",
    "lon",
    "occurred_at",
    "direction",
}


def is_told(name: str, value: object) -> bool:
    """Whether it says something to a person."""
    if name in _ADDED or name in _PLUMBING or name.endswith(("_id", "_ver", "_sha256")):
        return False
    return not isinstance(value, dict)


def value(name: str, stored: object, now: datetime, zone: ZoneInfo) -> str:
    """Empty = there is none."""
    if name.endswith("_at") and isinstance(stored, str):
        try:
            return formats.moment(values.parse_time(stored), now, zone)
        except (ValueError, errors.InputError):
            return stored
    return review_words.value(name, stored)


def pair(name: str, stored: object, now: datetime, zone: ZoneInfo) -> str:
    """`Price: $399,000`."""
    return f"{review_words.field_name(name)}: {value(name, stored, now, zone) or formats.NOTHING}"


def pairs(changed: Iterable[tuple[str, object]], now: datetime, zone: ZoneInfo, *, most: int) -> list[str]:
    """The first few that are worth telling."""
    found = [pair(name, stored, now, zone) for name, stored in changed if is_told(name, stored)]
    return found[:most]


def reason(message: str, names: Iterable[str]) -> str:
    """The server's words as people read them: `price_cents must be below 100` → `Price must be below $1`."""
    for name in sorted(names, key=len, reverse=True):
        if name in message and name.endswith("_cents"):
            message = _NUMBER.sub(lambda found: _money(found.group()), message)
        message = message.replace(name, review_words.field_name(name))
    return message


def _money(digits: str) -> str:
    return formats.money(int(digits.replace(",", "")), exact=True)
