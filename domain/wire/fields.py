"""Reading JSON of the other side: each value of the kind it must be, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import errors

Json = Mapping[str, Any]


def name_of(data: Json, key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value or len(value) > 100 or not value.isprintable():
        raise errors.InputError(f"{key} is missing or no name.", where=key)
    return value


def text_of(data: Json, key: str) -> str:
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} must be text")
    return value


def int_of(data: Json, key: str) -> int:
    value = data[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{key} must be a whole number")
    if abs(value) >= 1 << 63:
        raise ValueError(f"{key} is too large")
    return value


def map_of(data: Json, key: str) -> Mapping[str, Any]:
    value = data[key]
    if not isinstance(value, dict):
        raise TypeError(f"{key} must be an object")
    return value
