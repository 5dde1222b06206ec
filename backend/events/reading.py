"""From bytes to checked events: a whole body at once where all is well, item by item where something is not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from backend.events import kinds
from backend.events.kinds import Event

LONGEST_PROPS = 4_096
"""Bytes of JSON."""
DEEPEST_PROPS = 5
_MOST_TOKENS = 1_000_000
_MOST_COMMAS = 1_000_000
"""Beyond them the items are told apart one by one: so many at once would be as many objects as commas."""
_DEEPEST_BODY = 20_000

Json: TypeAlias = bytes | memoryview | msgspec.Raw
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why one event is not taken. `code` is stable for programs."""

    code: str
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A fault of the item at `index` of a body, with its `event_id` where that could be read."""

    index: int
    fault: Fault
    event_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Read:
    """What a body held: `events` beside `places`, their indexes in it, and what was refused."""

    events: Sequence[Event] = ()
    places: Sequence[int] = ()
    refused: list[Refused] = field(default_factory=list)


class NoJsonError(ValueError):
    """The body as a whole can't be read: nothing in it can be told apart."""


class TooManyError(ValueError):
    """More items than are taken at a time; the rest was not even looked at."""


class _Head(msgspec.Struct):
    """What tells an event's kind when it does not say so itself."""

    event_id: UUID | None = None
    event_type: str | None = None
    stream: str | None = None


_MANY = msgspec.json.Decoder(list[Event])
_ONE = msgspec.json.Decoder(Event)
_HEAD = msgspec.json.Decoder(_Head)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_BY_STREAM = {name: msgspec.json.Decoder(kind) for name, kind in kinds.STREAMS.items()}
_ENCODER = msgspec.json.Encoder()
_UNREADABLE = (msgspec.MsgspecError, RecursionError, ValueError)


def event_types(kind: type[Event]) -> Sequence[str]:
    """The values of its `event_type`."""
    for one in msgspec.structs.fields(kind):
        if one.name == "event_type":
            return sorted(one.type.__args__)
    raise AssertionError(kind)


_STREAM_OF = {word: name for name, kind in kinds.STREAMS.items() for word in event_types(kind)}
"""Every event type names its stream: no two streams share one (tests/backend/events)."""


def array(body: bytes, *, most: int) -> Read:
    """An object, or an array of them. Raises: NoJsonError, TooManyError."""
    body = body.strip()
    if not body.startswith(b"["):
        return _each([body], whole=True)
    try:
        events = _MANY.decode(body)
    except _UNREADABLE:
        return _each(_at_most(_items(body, most), most))
    return _all_well(_at_most(events, most))


def lines(body: bytes, *, most: int) -> Read:
    """NDJSON: an object a line; empty lines count for nothing. Raises: TooManyError."""
    try:
        events = _ONE.decode_lines(body)
    except _UNREADABLE:
        return _each(_at_most(_lines(body, most), most))
    return _all_well(_at_most(events, most))


def one(raw: Json) -> Event | Fault:
    """A single event. `stream` may be missing, since the event's type names it."""
    try:
        event: Event = _ONE.decode(raw)
    except msgspec.ValidationError as fault:
        if "missing required field `stream`" in str(fault):
            return _by_type(raw)
        return _told(fault)
    except RecursionError:
        return Fault(code="props", message="The event is nested too deeply.", where="props")
    except (msgspec.MsgspecError, ValueError) as fault:
        return Fault(code="json", message=f"This is no JSON: {fault}.")
    return event


def fault_of(event: Event, *, oldest: datetime, newest: datetime, odd_text: bool = True) -> Fault | None:
    """What the types can't say: the clock, `props`, and text that PostgreSQL can't hold.

    `odd_text`: the JSON held an escaped NUL somewhere, so every text is looked at.
    """
    if event.occurred_at > newest:
        return Fault(
            code="clock",
            message="The event lies in the future: check the sender's clock.",
            where="occurred_at",
        )
    if event.occurred_at < oldest:
        return Fault(code="too_old", message="The event is older than facts are kept.", where="occurred_at")
    if event.props is not None and (fault := _props_fault(event.props)):
        return fault
    if odd_text:
        for name in event.__struct_fields__:
            if _has_nul(getattr(event, name)):
                return Fault(code="text", message="Text must not hold NUL characters.", where=name)
    return None


def _all_well(events: Sequence[Event]) -> Read:
    return Read(events=events, places=range(len(events)))


def _at_most(items: Sequence[Item], most: int) -> Sequence[Item]:
    if len(items) > most:
        raise TooManyError(f"More than {most} items.")
    return items


def _lines(body: bytes, most: int) -> Sequence[bytes]:
    """Those with something in them, or one more than `most`."""
    return [found.group() for found in itertools.islice(_LINE.finditer(body), most + 1)]


def _each(items: Iterable[Json], *, whole: bool = False) -> Read:
    """`whole`: the only item is the body itself, so that one which is no JSON is no body either."""
    events: list[Event] = []
    places: list[int] = []
    found = Read(events=events, places=places)
    for index, raw in enumerate(items):
        event = one(raw)
        if not isinstance(event, Fault):
            events.append(event)
            places.append(index)
        elif whole and event.code == "json":
            raise NoJsonError(event.message)
        else:
            found.refused.append(Refused(index=index, fault=event, event_id=_id_of(raw)))
    return found


def _by_type(raw: Json) -> Event | Fault:
    try:
        head = _HEAD.decode(raw)
    except _UNREADABLE as fault:
        return _told(fault)
    stream = _STREAM_OF.get(head.event_type or "")
    if stream is None:
        known = ", ".join(sorted(_STREAM_OF))
        return Fault(
            code="unknown_type",
            message=f"Neither `stream` nor `event_type` names a kind of event. Event types: {known}.",
            where="event_type",
        )
    try:
        return _BY_STREAM[stream].decode(raw)
    except _UNREADABLE as fault:
        return _told(fault)


def _told(fault: Exception) -> Fault:
    """msgspec says `… - at `$.path``; the path becomes `where`."""
    message, _, path = str(fault).partition(" - at `")
    where = path.rstrip("`").removeprefix("$").lstrip(".")
    if not where and (named := re.search(r"field `([^`]*)`", message)):
        where = named.group(1)
    return Fault(code="schema", message=message + ".", where=where[:200])


def _id_of(raw: Json) -> str | None:
    try:
        found = _HEAD.decode(raw).event_id
    except _UNREADABLE:
        return None
    return str(found) if found else None


def _items(body: bytes, most: int) -> Sequence[Json]:
    """The array's items, each as its own JSON, or a few more than `most`. Raises: NoJsonError."""
    said = "too much in it to say what is wrong"
    if body.count(b",") <= _MOST_COMMAS:
        try:
            return _RAWS.decode(body)
        except _UNREADABLE as fault:
            said = str(fault)
    parts = _split(body, most)
    if parts is None:
        raise NoJsonError(f"This is no JSON array: {said}.")
    return parts


_LINE = re.compile(rb"\S[^\n]*")
_TOKEN = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL
)  # a string that never ends is a token too: no second look


def _split(body: bytes, most: int) -> Sequence[bytes] | None:
    """The items of an array by its brackets alone, where one item's text or depth stops a reader of the whole."""
    items: list[bytes] = []
    depth, start = 0, 1
    for count, found in enumerate(_TOKEN.finditer(body)):
        token = found.group()
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
        if len(items) > most:
            return items
        if depth > _DEEPEST_BODY or count > _MOST_TOKENS:
            return None
        if depth == 0 or (depth == 1 and token == b","):
            items.append(body[start : found.start()].strip())
            start = found.end()
        if depth == 0:
            return items if start == len(body) and all(items) else None
    return None


def _props_fault(props: Mapping[str, Any]) -> Fault | None:
    if not _plain(props, DEEPEST_PROPS):
        return Fault(
            code="props",
            message=f"`props` are nested deeper than {DEEPEST_PROPS} levels, or hold a number beyond 64 bits.",
            where="props",
        )
    if len(_ENCODER.encode(props)) > LONGEST_PROPS:
        return Fault(code="props", message=f"`props` are longer than {LONGEST_PROPS} bytes.", where="props")
    return None


def _plain(value: Any, deepest: int) -> bool:
    if isinstance(value, dict):
        return deepest > 0 and all(_plain(part, deepest - 1) for part in value.values())
    if isinstance(value, list):
        return deepest > 0 and all(_plain(part, deepest - 1) for part in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_has_nul(part) for part in value)
    return False
