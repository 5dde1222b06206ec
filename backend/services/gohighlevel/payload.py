"""What a webhook of GoHighLevel holds, without what we never keep: names, numbers, addresses and texts are not even read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from domain import errors

_AHEAD = timedelta(seconds=60)
OLDEST = timedelta(hours=24)
"""HighLevel tries again for about an hour; what is older than a day is a copy somebody kept."""


class Appointment(msgspec.Struct, frozen=True, rename="camel"):
    id: str | None = None
    calendar_id: str | None = None
    contact_id: str | None = None
    appointment_status: str | None = None
    assigned_user_id: str | None = None
    start_time: str | None = None
    date_added: str | None = None


class Payload(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Fields of the documented payloads that we use; all others are dropped where they come in."""

    type: str
    webhook_id: str
    timestamp: str
    location_id: str
    id: str | None = None
    contact_id: str | None = None
    assigned_to: str | None = None
    monetary_value: Decimal | None = None
    pipeline_id: str | None = None
    pipeline_stage_id: str | None = None
    pipeline_stage: str | None = None
    status: str | None = None
    date_added: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    message_type: str | None = None
    call_duration: float | None = None
    user_id: str | None = None
    appointment: Appointment | None = None

    @property
    def at(self) -> datetime:
        return moment(self.timestamp, "timestamp")


def read(body: bytes) -> Payload:
    """Raises: InputError naming the field."""
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as fault:
        raise _unreadable("This is no JSON.", "body") from fault
    if not isinstance(whole, dict):
        raise _unreadable("This is no JSON object.", "body")
    inner = whole.get("data") if isinstance(whole.get("data"), dict) else whole.get("customData")
    return _checked(whole | inner if isinstance(inner, dict) else whole)


def again(stored: bytes) -> Payload:
    """What `kept` wrote. Raises: InputError."""
    return read(stored)


def kept(payload: Payload) -> bytes:
    """Enough to map it later, and nothing about a person."""
    return msgspec.json.encode(payload)


def check_fresh(payload: Payload, now: datetime) -> None:
    """Raises: InputError for one from the future, or one that somebody recorded and sends again."""
    at = payload.at
    if at > now + _AHEAD:
        raise _unreadable("The webhook lies in the future.", "timestamp")
    if at < now - OLDEST:
        raise _unreadable("The webhook is more than a day old.", "timestamp")


def moment(text: str | None, where: str) -> datetime:
    """In UTC. Raises: InputError."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError as fault:
        raise _unreadable("This is no moment in RFC 3339.", where) from fault
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _checked(whole: dict[str, Any]) -> Payload:
    try:
        return msgspec.convert(whole, Payload, strict=False)
    except (msgspec.ValidationError, RecursionError) as fault:
        message, _, path = str(fault).partition(" - at `$")
        raise _unreadable(message + ".", path.strip("`.") or "body") from fault


def _unreadable(message: str, where: str) -> errors.InputError:
    return errors.InputError(
        message,
        where=where,
        hint="Send HighLevel's own payload, with `type`, `webhookId`, `timestamp`, `locationId`.",
    )
