"""Whether a value fits its field, and the one way a time is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain import errors, tables


def check_values(table: tables.Table, values: Mapping[str, Any]) -> None:
    """Each value fits its field. Raises: InputError naming table and field."""
    for name, value in values.items():
        known = table.by_name.get(name)
        if known is None:
            raise errors.InputError(f"{table.name} has no field {name!r}.", where=f"{table.name}.{name}")
        if value is None:
            if known.required:
                raise errors.InputError(f"{name} must not be empty.", where=f"{table.name}.{name}")
        elif not _fits(known.type, value):
            raise errors.InputError(
                f"{name} must be {_WORDS[known.type]}, not {value!r:.60}.", where=f"{table.name}.{name}"
            )


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


def _fits(kind: tables.Type, value: object) -> bool:
    match kind:
        case tables.Type.INT:
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
        case tables.Type.REAL:
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        case tables.Type.BOOL:
            return isinstance(value, bool)
        case tables.Type.JSON:
            return True
        case _:
            return isinstance(value, str) and _fits_text(kind, value)


def _fits_text(kind: tables.Type, value: str) -> bool:
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        return False
    try:
        if kind is tables.Type.ID:
            return len(value) == 36 and value.count("-") == 4 and int(value.replace("-", ""), 16) >= 0
        if kind is tables.Type.TIME:
            return datetime.fromisoformat(value).tzinfo is not None
        if kind is tables.Type.DATE:
            return len(value) == 10 and bool(datetime.fromisoformat(value))
    except ValueError:
        return False
    return True


def time_text(moment: datetime) -> str:
    """The one way a time is written: UTC, milliseconds, Z. Text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Aware UTC. Raises: ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)
