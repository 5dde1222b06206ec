"""Whether a value fits its field, and the one way a time is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain import commission, errors, leads, tables

MOST_CENTS = 10**15
"""Ten trillion dollars: sums of it stay within 64 bits."""
MOST_CHARACTERS = 500_000
"""Of a text, or of a list or object as JSON: what a day of dictation never reaches, and every reader can hold."""
MOST_CONTACT = 300
"""Characters of what leads and properties are found by: an address of 254 and a word beside it, and any index holds it."""
_LOOKED_UP = frozenset({"phone", "email", "external_id"})
_YEARS = range(1900, 2201)
_MOST = {"lat": 90, "lon": 180}
_CLOSED: Mapping[tuple[str, str], frozenset[str]] = {
    ("leads", "kind"): frozenset(leads.Kind),
    ("leads", "stage"): frozenset(leads.Stage),
    ("leads", "temperature"): frozenset(leads.Temperature),
    ("deals", "stage"): frozenset(leads.Stage),
    ("deals", "side_held"): frozenset(commission.Side),
    ("deals", "who_pays"): frozenset(commission.Payer),
    ("notes", "state"): frozenset(tables.NOTE_STATES),
    ("conflicts", "status"): frozenset(tables.CONFLICT_STATUSES),
    ("conflicts", "resolution"): frozenset(tables.RESOLUTIONS),
}
"""Words that our rules count with: another one would stop every screen that counts."""


def check_values(table: tables.Table, values: Mapping[str, Any]) -> None:
    """Each value fits its field. Raises: InputError naming table and field."""
    for name, value in values.items():
        known = table.by_name.get(name)
        if known is None:
            raise errors.InputError(f"{table.name} has no field {shown(name)}.", where=f"{table.name}.{name}")
        if value is None:
            if known.required:
                raise errors.InputError(f"{name} must not be empty.", where=f"{table.name}.{name}")
        elif known.policy is tables.Policy.UNION and not _is_list_of_words(value):
            raise errors.InputError(f"{name} must be a list of words.", where=f"{table.name}.{name}")
        elif not _fits(known.type, value):
            raise errors.InputError(
                f"{name} must be {_WORDS[known.type]}, not {shown(value)}.", where=f"{table.name}.{name}"
            )
        elif limit := _limit_passed(table, name, value):
            raise errors.InputError(
                f"{name} must be {limit}, not {shown(value)}.", where=f"{table.name}.{name}"
            )


def shown(value: object) -> str:
    """A value as a sentence names it to a person: short, and nothing in it that can't be printed."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            clipped = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
            return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clipped) + '"'
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)[:_SHOWN]


_SHOWN = 60


def _limit_passed(table: tables.Table, name: str, value: Any) -> str:
    """What the value would have to be, in words; empty where it is."""
    words = _CLOSED.get((table.name, name))
    if words is not None and value not in words:
        return f"one of {', '.join(sorted(words))}"
    if is_too_long(value):
        return f"at most {MOST_CHARACTERS} characters long"
    if name in _LOOKED_UP and len(value) > MOST_CONTACT:
        return f"at most {MOST_CONTACT} characters long"
    most = MOST_CENTS if name.endswith("_cents") else _MOST.get(name)
    if most is not None and abs(value) > most:
        return f"between -{most} and {most}"
    return ""


def is_too_long(value: object) -> bool:
    """More than a field may hold, as it is written in the end."""
    if isinstance(value, list | dict):
        return len(json.dumps(_json(value))) > MOST_CHARACTERS
    return isinstance(value, str) and len(value) > MOST_CHARACTERS


def _is_list_of_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # not the days of a week, 2026-W48-7, which are as long
_WORDS = {
    tables.Type.TEXT: "text",
    tables.Type.ID: "an id",
    tables.Type.INT: "a whole number",
    tables.Type.REAL: "a number",
    tables.Type.BOOL: "true or false",
    tables.Type.TIME: "a time such as 2026-11-22T16:00:00.000Z",
    tables.Type.DATE: "a date such as 2026-11-22",
    tables.Type.JSON: "a JSON value",
}


def is_id(text: str) -> bool:
    """A UUID in the usual form, in small letters or capitals."""
    return bool(_ID.fullmatch(text))


def sound(table: tables.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that the table has and that fit, in canonical form; for what is only compared with."""
    fitting = {
        name: value
        for name, value in values.items()
        if name in table.by_name
        and (value is None or (_fits(table.by_name[name].type, value) and not is_too_long(value)))
    }
    return canonical(table, fitting)


def _fits(kind: tables.Type, value: object) -> bool:
    match kind:
        case tables.Type.INT:
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
        case tables.Type.REAL:
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        case tables.Type.BOOL:
            return isinstance(value, bool)
        case tables.Type.JSON:
            return _storable(value)
        case _:
            return isinstance(value, str) and _storable(value) and _fits_text(kind, value)


def _storable(value: object) -> bool:
    """No text in it that a database refuses: the character 0, halves of surrogate pairs."""
    match value:
        case str():
            return not _UNSTORABLE.search(value)
        case dict():
            return all(_storable(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return all(map(_storable, value))
        case float():
            return abs(value) < 1e300
        case _:
            return True


def _fits_text(kind: tables.Type, value: str) -> bool:
    try:
        if kind is tables.Type.ID:
            return is_id(value)
        if kind is tables.Type.TIME:
            moment = datetime.fromisoformat(value)
            return moment.tzinfo is not None and moment.astimezone(UTC).year in _YEARS
        if kind is tables.Type.DATE:
            return bool(_DAY.fullmatch(value)) and datetime.fromisoformat(value).year in _YEARS
    except (ValueError, OverflowError):
        return False
    return True


def canonical(table: tables.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values in the one way the server writes them, so that equal values are equal text."""
    return {name: _canonical(table.by_name[name].type, value) for name, value in values.items()}


def _canonical(kind: tables.Type, value: Any) -> Any:
    match kind:
        case _ if value is None:
            return None
        case tables.Type.TIME:
            return time_text(parse_time(value))
        case tables.Type.ID:
            return value.lower()
        case tables.Type.REAL:
            return float(value) + 0.0  # there is one zero
        case tables.Type.JSON:
            return _json(value)
        case _:
            return value


def _json(value: Any) -> Any:
    """The numbers in it as PostgreSQL gives them back, which keeps decimals: its reader knows whole ones of 64 bits."""
    match value:
        case dict():
            return {name: _json(part) for name, part in value.items()}
        case list() | tuple():
            return [_json(part) for part in value]
        case float():
            whole = Decimal(repr(value)) if abs(value) >= _WRITTEN_OUT else None
            return int(whole) if whole is not None and _LEAST <= whole <= _GREATEST else value + 0.0
        case int() if not _LEAST <= value <= _GREATEST:
            return float(value)
        case _:
            return value


_WRITTEN_OUT = 1e16
"""From here on a float is sent with an exponent, and comes back as a whole number, without."""
_LEAST, _GREATEST = -(1 << 63), (1 << 64) - 1


def time_text(moment: datetime) -> str:
    """The one way a time is written: UTC, milliseconds, Z. Text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Aware UTC. Raises: ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)
