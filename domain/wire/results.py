"""The answer to a push: what became of each change. What has its default is left out of the JSON; both forms are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.wire import fields
from domain.wire.fields import Json
from domain.wire.version import PROTOCOL, check_protocol


class Status(StrEnum):
    """What became of a mutation."""

    APPLIED = "applied"
    MERGED = "merged"  # applied beside somebody else's change; `row` is the truth now
    DUPLICATE = "duplicate"  # had arrived before: changed nothing
    PARKED = "parked"  # can't be applied; a person must look at it
    RETRY = "retry"  # not now (a deadlock, an overload): send it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as the server holds it: version, values by field name, or deleted."""

    table: str
    id: str
    ver: int
    values: Mapping[str, Any] = field(default_factory=dict)
    deleted: bool = False

    def as_json(self) -> dict[str, Any]:
        whole = {
            "table": self.table,
            "id": self.id,
            "ver": self.ver,
            "values": dict(self.values),
            "deleted": self.deleted,
        }
        return fields.without(whole, _UNSAID)

    @classmethod
    def from_json(cls, data: Json) -> Row:
        return cls(
            table=fields.text_of(data, "table"),
            id=fields.text_of(data, "id"),
            ver=fields.int_of(data, "ver", 0),
            values=fields.map_of(data, "values", {}),
            deleted=bool(data.get("deleted", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the server did with one mutation. `row` is there where it differs from base + patch."""

    mid: int
    status: Status
    ver: int = 0
    row: Row | None = None
    code: str = ""
    message: str = ""

    @property
    def is_plain(self) -> bool:
        """Applied, and there is nothing to say but the version."""
        return self.status is Status.APPLIED and self.row is None and not (self.code or self.message)

    def as_json(self) -> dict[str, Any]:
        whole = {
            "mid": self.mid,
            "status": self.status.value,
            "ver": self.ver,
            "row": self.row.as_json() if self.row else None,
            "code": self.code,
            "message": self.message,
        }
        return fields.without(whole, _UNSAID)

    @classmethod
    def from_json(cls, data: Json) -> Result:
        row = data.get("row")
        return cls(
            mid=fields.int_of(data, "mid"),
            status=Status(data["status"]),
            ver=fields.int_of(data, "ver", 0),
            row=Row.from_json(row) if row else None,
            code=fields.text_of(data, "code", ""),
            message=fields.text_of(data, "message", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer:
    """In JSON, neighbours that are plainly applied and number on are one list: [first mid, version, version, …]."""

    results: Sequence[Result]
    server_ms: int
    incarnation: str
    protocol: int = PROTOCOL

    def as_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "server_ms": self.server_ms,
            "incarnation": self.incarnation,
            "results": _packed(self.results),
        }

    @classmethod
    def from_json(cls, data: Json) -> PushAnswer:
        check_protocol(data.get("protocol"))
        return cls(
            results=tuple(_unpacked(data["results"])),
            server_ms=fields.int_of(data, "server_ms"),
            incarnation=fields.text_of(data, "incarnation"),
        )


_UNSAID: Json = {"ver": 0, "values": {}, "deleted": False, "row": None, "code": "", "message": ""}


def _packed(results: Sequence[Result]) -> list[Any]:
    """Most answers say the same of each change: they cost a byte or two then."""
    packed: list[Any] = []
    following = None
    for result in results:
        if not result.is_plain:
            packed.append(result.as_json())
            following = None
            continue
        if result.mid != following:
            packed.append([result.mid])
        packed[-1].append(result.ver)
        following = result.mid + 1
    return packed


def _unpacked(entries: Sequence[Any]) -> Iterator[Result]:
    for entry in entries:
        if isinstance(entry, list):
            first, *vers = (fields.whole(number, "a packed result") for number in entry)
            for mid, ver in enumerate(vers, first):
                yield Result(mid=mid, status=Status.APPLIED, ver=ver)
        elif isinstance(entry, dict):
            yield Result.from_json(entry)
        else:
            raise TypeError("a result is an object or a list of numbers")
