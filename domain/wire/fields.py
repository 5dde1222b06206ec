"""Reading JSON of the other side: each value of the kind it must be, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import errors

Json = Mapping[str, Any]
DEEPEST = 32
"""Lists and objects within each other; what is deeper no field needs, and no reader has to take."""


def without(data: dict[str, Any], defaults: Json) -> dict[str, Any]:
    """What is said needs no bytes for what goes without saying: entries equal to their default are left out."""
    return {key: value for key, value in data.items() if key not in defaults or value != defaults[key]}


def name_of(data: Json, key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value or len(value) > 100 or not value.isprintable():
        raise errors.InputError(f"{key} is missing or no name.", where=key)
    return value


def why(fault: Exception) -> str:
    """What is wrong with a message, in words, of an error that reading it raised."""
    return f"{fault.args[0]} is missing" if isinstance(fault, KeyError) else str(fault)


def text_of(data: Json, key: str, default: str | None = None) -> str:
    """`default`: what an absent one means; without it, it must be there (so in all of these)."""
    value = data[key] if default is None else data.get(key, default)
    if not isinstance(value, str):
        raise TypeError(f"{key} must be text")
    return value


def int_of(data: Json, key: str, default: int | None = None) -> int:
    return whole(data[key] if default is None else data.get(key, default), key)


def whole(value: object, what: str) -> int:
    """A number that fits 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} must be a whole number")
    if abs(value) >= 1 << 63:
        raise ValueError(f"{what} is too large")
    return value


def version_of(data: Json, key: str) -> int:
    """A version that a row may have; absent = 0. What is made of it, such as the next one, still fits 64 bits."""
    value = int_of(data, key, 0)
    if abs(value) >= 1 << 62:
        raise ValueError(f"{key} is no version of a row")
    return value


def map_of(data: Json, key: str, default: Json | None = None) -> Mapping[str, Any]:
    value = data[key] if default is None else data.get(key, default)
    if not isinstance(value, dict):
        raise TypeError(f"{key} must be an object")
    return value


def values_of(data: Json, key: str) -> Mapping[str, Any]:
    """An object of fields' values, none of them nested beyond DEEPEST; absent = empty."""
    found = map_of(data, key, {})
    if not _is_flat(found, DEEPEST):
        raise ValueError(f"{key} is nested too deeply")
    return found


def _is_flat(value: object, left: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return left > 0 and all(_is_flat(part, left - 1) for part in parts)
