"""Moments as whole microseconds since 1970, and back: exact, which seconds as a float are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _US


def moment_at(us: int) -> datetime:
    return _EPOCH + us * _US
