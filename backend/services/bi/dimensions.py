"""Dimensions of the registry as requests and answers say them, and as the warehouse keys them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, get_args

from backend.events import kinds
from backend.metrics import Dimension
from backend.services.bi import spans
from backend.storage.warehouse.offices import Office
from backend.storage.warehouse.ranges import HOUR, hour_number, hour_of
from backend.storage.warehouse.where import Key
from domain import errors, leads

UNKNOWN = "unknown"
MOST_VALUES = 50
LONGEST_VALUE = 200
EVENT_TYPES = frozenset((*get_args(kinds.LeadEvent), *get_args(kinds.BotEvent)))
Bots = Mapping[int, tuple[str, str]]
"""bot_key → (bot_id, name)."""


def values_of(dimension: Dimension, given: object) -> tuple[Key, ...]:
    """A filter's values (one, or a list; null = not known), in order, each once.

    Days and hours become numbers; locations and bots stay as they are named. Raises: InputError naming the filter.
    """
    listed: Sequence[object] = given if isinstance(given, list) else [given]
    if not 1 <= len(listed) <= MOST_VALUES:
        raise _wrong(dimension, f"Give 1 to {MOST_VALUES} values.")
    found = {_value(dimension, value) for value in listed}
    return tuple(sorted(found, key=lambda value: (value is None, str(value))))


def _value(dimension: Dimension, value: object) -> Key:
    if value is None:
        if dimension in _ALWAYS_KNOWN:
            raise _wrong(dimension, "It is always known: give a value.")
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_VALUE or "\x00" in value:
        raise _wrong(dimension, f"Give text of 1 to {LONGEST_VALUE} characters, or null for not known.")
    try:
        return _READ.get(dimension, str)(value)
    except (ValueError, OverflowError) as fault:
        raise _wrong(dimension, _HINTS.get(dimension, "")) from fault


def _one_of(words: Iterable[str]) -> Callable[[str], str]:
    known = frozenset(words)

    def checked(value: str) -> str:
        if value not in known:
            raise ValueError(value)
        return value

    return checked


def _hour(value: str) -> int:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return hour_number(moment.astimezone(UTC))


_ALWAYS_KNOWN = frozenset(
    {Dimension.LOCATION, Dimension.BOT, Dimension.EVENT_TYPE, Dimension.DAY, Dimension.HOUR}
)
_READ: Mapping[Dimension, Callable[[str], Key]] = {
    Dimension.LOCATION: lambda value: str(uuid.UUID(value)),
    Dimension.AGENT: lambda value: str(uuid.UUID(value)),
    Dimension.STAGE: _one_of(leads.Stage),
    Dimension.TEMPERATURE: _one_of(leads.Temperature),
    Dimension.EVENT_TYPE: _one_of(EVENT_TYPES),
    Dimension.DAY: lambda value: spans.date_key(date.fromisoformat(value)),
    Dimension.HOUR: _hour,
}
_HINTS: Mapping[Dimension, str] = {
    Dimension.LOCATION: "A location's id.",
    Dimension.AGENT: "A user's id, or null.",
    Dimension.STAGE: f"One of {', '.join(leads.Stage)}, or null.",
    Dimension.TEMPERATURE: f"One of {', '.join(leads.Temperature)}, or null.",
    Dimension.EVENT_TYPE: f"One of {', '.join(sorted(EVENT_TYPES))}.",
    Dimension.DAY: "A day such as 2026-11-22.",
    Dimension.HOUR: "An hour such as 2026-11-22T16:00:00Z.",
}


def _wrong(dimension: Dimension, hint: str) -> errors.InputError:
    return errors.InputError(
        f"This can't be a value of {dimension}.", where=f"filters.{dimension}", hint=hint
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What keys of the warehouse are called."""

    offices: Mapping[int, Office]
    bots: Bots
    agents: Mapping[str, str]

    def told(self, dimension: str, key: Key) -> dict[str, Any]:
        """{key, label}, as requests name it."""
        said, label = (None, UNKNOWN) if key is None else self._said(dimension, key)
        return {"key": said, "label": label}

    def _said(self, dimension: str, key: int | str) -> tuple[str, str]:
        match dimension:
            case Dimension.LOCATION:
                return self.offices[int(key)].id, self.offices[int(key)].name
            case Dimension.BOT:
                return self.bots.get(int(key), (str(key), str(key)))
            case Dimension.AGENT:
                return str(key), self.agents.get(str(key), UNKNOWN)
            case Dimension.DAY:
                return (spans.day_of(int(key)).isoformat(),) * 2
            case Dimension.HOUR:
                begin = hour_of(int(key))
                return begin.isoformat(), f"{begin:%Y-%m-%d %H:%M} to {begin + HOUR:%H:%M} UTC"
        return str(key), str(key)
