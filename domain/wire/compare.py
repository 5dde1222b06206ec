"""Are both sides equal? Sums by location and table, then by range of ids, then the rows of the ranges that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.wire import fields
from domain.wire.fields import Json
from domain.wire.pages import Block
from domain.wire.version import PROTOCOL, check_protocol

Sum = tuple[int, str]
"""(rows, the sum of their hashes as 16 hex digits); domain/digests.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAsk:
    """`content`: hash the values too, not only id and version. With `scope` and `table`: that table by range."""

    content: bool = False
    scope: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """`sums`: location → table → Sum, for every location that the person may see (tables without rows left out).

    `ranges`: one Sum for each of the 256 ranges, when one table was asked for.
    """

    sums: Mapping[str, Mapping[str, Sum]] = field(default_factory=dict)
    ranges: Sequence[Sum] = ()
    protocol: int = PROTOCOL

    def as_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "sums": {
                scope: {name: list(one) for name, one in some.items()} for scope, some in self.sums.items()
            },
            "ranges": [list(one) for one in self.ranges],
        }

    @classmethod
    def from_json(cls, data: Json) -> Digests:
        """Raises: VersionMismatchError; KeyError, TypeError or ValueError for what is no such message."""
        check_protocol(data.get("protocol"))
        return cls(
            sums={
                scope: {name: _sum(one) for name, one in some.items()} for scope, some in data["sums"].items()
            },
            ranges=tuple(_sum(one) for one in data["ranges"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAsk:
    """The rows of some ranges of one location's table, as they are now."""

    scope: str
    table: str
    ranges: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRows:
    """All rows of the ranges asked for. What a device has there beyond them, and didn't make itself, is gone.

    `incarnation`: of the database that says so. To a device that knows another one it says nothing: what is not listed may
    be lost, and the device the only one that can send it again.
    """

    block: Block
    incarnation: str = ""
    protocol: int = PROTOCOL

    def as_json(self, *, brief: bool = False) -> dict[str, Any]:
        said = {"protocol": self.protocol, "block": self.block.as_json(brief=brief)}
        return {**said, "incarnation": self.incarnation} if self.incarnation else said

    @classmethod
    def from_json(cls, data: Json) -> RangeRows:
        """Raises: VersionMismatchError; KeyError, TypeError or ValueError for what is no such message."""
        check_protocol(data.get("protocol"))
        incarnation = fields.text_of(data, "incarnation", "")
        return cls(block=Block.from_json(fields.map_of(data, "block")), incarnation=incarnation)


def _sum(pair: Any) -> Sum:
    number, text = pair
    if not isinstance(number, int) or not isinstance(text, str):
        raise TypeError("a sum is a number and a text")
    return number, text
