"""What a person types into a lead's fields, as it is stored: trimmed, checked, and refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from domain import errors, facts, phones, values
from domain import leads as rules

ADDRESS = ("address", "city", "state", "zip", "lat", "lon")
OWN = frozenset({"opted_out", "opted_out_at", "opted_out_words", "score", "temperature", "answer_due_at"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_ZIP = re.compile(r"\d{5}(-\d{4})?\Z")
_STATE = re.compile(r"[A-Z]{2}\Z")
_LONGEST = 2000


def clean(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Stored values by field. Raises: InputError naming the field and what it takes."""
    for name in changes:
        if name not in _CLEANERS:
            raise errors.InputError(
                f"{name} is not edited here.",
                where=f"leads.{name}",
                hint="Opt-outs have an action of their own.",
            )
    return {name: _CLEANERS[name](value) for name, value in changes.items()}


def _refuse(field: str, message: str, hint: str) -> errors.InputError:
    return errors.InputError(message, where=f"leads.{field}", hint=hint)


def _text(value: Any) -> str | None:
    text = facts.text(value)
    return None if text is None else " ".join(text.split())[:_LONGEST]


def _name(value: Any) -> str:
    name = _text(value)
    if not name:
        raise _refuse("name", "The name is missing.", "Give the person's name, or what you call them.")
    return name


def _phone(value: Any) -> str | None:
    text = _text(value)
    number = phones.parse(text) if text else None
    if text and number is None:
        raise _refuse(
            "phone",
            "This is no telephone number.",
            "Give ten digits, as in 512 555 0147, or + and the country code.",
        )
    return number


def _email(value: Any) -> str | None:
    text = _text(value)
    if text and not _EMAIL.match(text):
        raise _refuse(
            "email", "This is no e-mail address.", "Give it as name@example.com, or leave it empty."
        )
    return text.lower() if text else None


def _state(value: Any) -> str | None:
    text = (_text(value) or "").upper()
    if text and not _STATE.match(text):
        raise _refuse("state", "This is no US state.", "Give its two letters, as in TX.")
    return text or None


def _zip(value: Any) -> str | None:
    text = _text(value)
    if text and not _ZIP.match(text):
        raise _refuse("zip", "This is no ZIP code.", "Give five digits, as in 78704.")
    return text


def _kind(value: Any) -> str:
    return _one_of("kind", rules.Kind, value)


def _stage(value: Any) -> str:
    return _one_of("stage", rules.Stage, value)


def _one_of(field: str, words: type[rules.Kind] | type[rules.Stage], value: Any) -> str:
    try:
        return words(str(value)).value
    except ValueError:
        choices = ", ".join(word.value for word in words)
        raise _refuse(field, f"{value!r:.40} is no {field}.", f"Choose one of: {choices}.") from None


def _degrees(field: str, most: float) -> Callable[[Any], float | None]:
    def check(value: Any) -> float | None:
        if value is None:
            return None
        number = facts.number(value)
        if number is None or abs(number) > most:
            raise _refuse(field, "This is no position.", f"Give degrees between -{most:g} and {most:g}.")
        return number

    return check


def _days(value: Any) -> int | None:
    if value is None or value == "":
        return None
    days = facts.whole(value)
    if days is None or not 0 <= days <= 3650:
        raise _refuse("timeline_days", "This is no number of days.", "Give 0 to 3650 days from today.")
    return days


def _cents(value: Any) -> int | None:
    if value is None or value == "":
        return None
    cents = facts.whole(value)
    if cents is None or not 0 < cents <= 10**12:
        raise _refuse("price_cents", "This is no price.", "Give an amount above 0 in dollars.")
    return cents


def _date(value: Any) -> str | None:
    if value is None or value == "":
        return None
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()[:10]
    except ValueError:
        raise _refuse("price_on", "This is no date.", "Give it as 2026-11-22.") from None


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _tags(value: Any) -> list[str]:
    words = value.split(",") if isinstance(value, str) else list(value or ())
    return list(dict.fromkeys(text for word in words if (text := _text(word))))


def _time(value: Any) -> str | None:
    moment = facts.moment(value) if value else None
    return values.time_text(moment) if isinstance(moment, datetime) else None


def _any(value: Any) -> Any:
    return value


_CLEANERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "kind": _kind,
    "phone": _phone,
    "email": _email,
    "address": _text,
    "city": _text,
    "state": _state,
    "zip": _zip,
    "lat": _degrees("lat", 90),
    "lon": _degrees("lon", 180),
    "stage": _stage,
    "stage_reason": _text,
    "timeline_days": _days,
    "price_cents": _cents,
    "price_on": _date,
    "tags": _tags,
    "consent_text": _flag,
    "consent_call": _flag,
    "consent_words": _text,
    "last_inbound_at": _time,
    "last_touch_at": _time,
    "answers": _any,
    "agent_id": _any,
    **dict.fromkeys(("source", "motivation", "condition", "financing", "area"), _text),
}
