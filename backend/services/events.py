"""Taking events from outside: who may send which, what is wrong with the others, and on into the streams."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.events import Event, reading
from backend.events.reading import Fault, Read, Refused
from backend.services.sources import Sender
from backend.stream import ingest
from domain import errors

if TYPE_CHECKING:
    from backend.deps import Deps

MOST_EVENTS = 10_000
"""Of one request."""
AHEAD = timedelta(seconds=60)
"""A clock may be so much ahead of ours: one that is more would empty every sliding window."""
_ESCAPED_NUL = b"\\u0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`stored`: all that was accepted is in the database; else it waits in the stream."""

    accepted: int
    stored: bool
    refused: Sequence[Refused]


def read(body: bytes, *, as_lines: bool) -> Read:
    """Raises: InputError when nothing in the body can be told apart, or there is nothing or too much in it."""
    reader = reading.lines if as_lines else reading.array
    try:
        found = reader(body, most=MOST_EVENTS)
    except reading.NoJsonError as fault:
        raise errors.InputError(
            str(fault), where="body", hint="Send an object, an array, or NDJSON."
        ) from fault
    except reading.TooManyError as fault:
        raise errors.InputError(
            f"These are more than {MOST_EVENTS} events.", where="body", hint="Send them in parts."
        ) from fault
    if not (found.events or found.refused):
        raise errors.InputError("There are no events in this.", where="body", hint="Send at least one.")
    return found


async def take(deps: Deps, sender: Sender, body: bytes, *, as_lines: bool, wait: float) -> Taken:
    """What is right with them goes in, whatever is wrong with the others. Raises: InputError, TooManyTriesError, BacklogError."""
    found = read(body, as_lines=as_lines)
    await deps.limits.source(sender.account, len(found.events) + len(found.refused))
    sender = await _with_new_places(deps, sender, found.events)
    now, months = deps.clock.now(), deps.settings.bi_retention_months
    good, places = _sorted_out(found, sender, now=now, months=months, odd=_ESCAPED_NUL in body)
    sent = await ingest.send(deps, good, source_key=sender.source_key, wait=wait)
    if sent.refused:
        where = {id(event): index for event, index in zip(good, places, strict=True)}
        for one in sent.refused:
            fault = Fault(code=one.reason, message=one.message)
            found.refused.append(
                Refused(index=where[id(one.event)], fault=fault, event_id=str(one.event.event_id))
            )
    found.refused.sort(key=lambda one: one.index)
    return Taken(accepted=len(good) - len(sent.refused), stored=sent.stored, refused=found.refused)


def oldest(now: datetime, months: int) -> datetime:
    """Facts from before this moment are dropped."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def forbidden(event: Event, sender: Sender) -> Fault | None:
    """One answer for what is somebody else's and for what does not exist."""
    if type(event) not in sender.kinds:
        return Fault(code="forbidden", message="You may not send events of this stream.", where="stream")
    location = event.location_id
    if location is None:
        if sender.everywhere:
            return None
        return Fault(
            code="forbidden",
            message="An event without a location concerns every office; name yours.",
            where="location_id",
        )
    if location.int in sender.places:
        return None
    return Fault(code="forbidden", message="You may not send for this location.", where="location_id")


def _sorted_out(
    found: Read, sender: Sender, *, now: datetime, months: int, odd: bool
) -> tuple[Sequence[Event], Sequence[int]]:
    """The good ones with their places; the others join `found.refused`."""
    first, last = oldest(now, months), now + AHEAD
    if not odd and _all_fit(found.events, sender, first, last):
        return found.events, found.places
    good: list[Event] = []
    places: list[int] = []
    for index, event in zip(found.places, found.events, strict=True):
        fault = forbidden(event, sender) or reading.fault_of(event, oldest=first, newest=last, odd_text=odd)
        if fault is None:
            good.append(event)
            places.append(index)
        else:
            found.refused.append(Refused(index=index, fault=fault, event_id=str(event.event_id)))
    return good, places


def _all_fit(some: Sequence[Event], sender: Sender, first: datetime, last: datetime) -> bool:
    """What `forbidden` and `reading.fault_of` find nothing wrong with, told for all at once: a quarter of the time."""
    if not sender.kinds.issuperset(map(type, some)):
        return False
    moments = [event.occurred_at for event in some]
    if not moments or min(moments) < first or max(moments) > last:
        return False
    places = {event.location_id.int if event.location_id else None for event in some}
    if not places <= sender.places:
        return False
    return all(event.props is None for event in some)


async def _with_new_places(deps: Deps, sender: Sender, events: Sequence[Event]) -> Sender:
    """An office that was opened a moment ago is known too, to who may send for all of them."""
    if not sender.everywhere or sender.source_key is None:
        return sender
    if all(event.location_id is None or event.location_id.int in sender.places for event in events):
        return sender
    places = await deps.sources.places(deps, missing=True)
    return replace(sender, places=places)
