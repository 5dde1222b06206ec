"""Down: pages of rows. What has its default is left out of the JSON; both forms are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain import tables
from domain.wire import fields
from domain.wire.fields import Json
from domain.wire.version import PROTOCOL, check_protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows of one table: a column header, then one list a row: [id, ver, value, value …].

    Two sides of the same schema know the header: then its checksum says enough (`brief`).
    """

    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def as_json(self, *, brief: bool = False) -> dict[str, Any]:
        columns = checksum_of(self.columns) if brief else list(self.columns)
        return {"table": self.table, "columns": columns, "rows": list(self.rows)}

    @classmethod
    def from_json(cls, data: Json) -> Block:
        """Raises: KeyError, TypeError or ValueError for what is no block, or one with a header that we can't know."""
        columns = data["columns"]
        if isinstance(columns, str):
            columns = _known(data["table"], columns)
        return cls(table=data["table"], columns=columns, rows=data["rows"])


def checksum_of(columns: Sequence[str]) -> str:
    return hashlib.md5(",".join(columns).encode(), usedforsecurity=False).hexdigest()[:6]


def _known(table: str, checksum: str) -> Sequence[str]:
    columns = ("id", "ver", *tables.BY_NAME[table].columns)
    if checksum_of(columns) != checksum:
        raise ValueError(f"other columns of {table} than ours")
    return columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row that the device has at `from_ver` or later: all fields that changed after it, as they are at `ver`."""

    table: str
    id: str
    from_ver: int
    ver: int
    values: Json

    def as_json(self) -> list[Any]:
        return [self.table, self.id, self.from_ver, self.ver, dict(self.values)]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Change:
        """Raises: TypeError or ValueError for what is no change."""
        table, row_id, from_ver, ver, values = data
        names = isinstance(table, str) and isinstance(row_id, str) and isinstance(values, dict)
        if not (names and isinstance(from_ver, int) and isinstance(ver, int)):
            raise ValueError("no change of a row")
        return cls(table=table, id=row_id, from_ver=from_ver, ver=ver, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the feed or of a first sync. Rows and `cursor` are committed together on the device.

    `scopes` are the locations this person may see now (None: the ones that the asking cursor knows); the device drops
    the rows of any other *before* it applies the page. `incarnation` "": the one of the asking cursor. `changes`: rows
    that the device has already. `removed` lists (table, id) of deleted rows and of rows that left the person's scopes.
    `done`, `total`: progress of a first sync in rows (total 0 once it tails the feed).
    """

    cursor: str
    more: bool
    blocks: Sequence[Block]
    removed: Sequence[tuple[str, str]]
    server_ms: int
    changes: Sequence[Change] = ()
    scopes: Sequence[str] | None = None
    incarnation: str = ""
    demo: bool = False
    done: int = 0
    total: int = 0
    protocol: int = PROTOCOL

    def as_json(self, *, brief: bool = False) -> dict[str, Any]:
        whole = {
            "protocol": self.protocol,
            "cursor": self.cursor,
            "more": self.more,
            "blocks": [block.as_json(brief=brief) for block in self.blocks],
            "changes": [change.as_json() for change in self.changes],
            "removed": [list(pair) for pair in self.removed],
            "scopes": None if self.scopes is None else list(self.scopes),
            "server_ms": self.server_ms,
            "incarnation": self.incarnation,
            "demo": self.demo,
            "done": self.done,
            "total": self.total,
        }
        return fields.without(whole, _UNSAID)

    @classmethod
    def from_json(cls, data: Json) -> Page:
        """Raises: VersionMismatchError; KeyError, TypeError or ValueError for what is no page."""
        check_protocol(data.get("protocol"))
        return cls(
            cursor=fields.text_of(data, "cursor"),
            more=bool(data.get("more", False)),
            blocks=tuple(Block.from_json(block) for block in data.get("blocks", ())),
            changes=tuple(Change.from_json(change) for change in data.get("changes", ())),
            removed=tuple((table, row_id) for table, row_id in data.get("removed", ())),
            server_ms=fields.int_of(data, "server_ms"),
            scopes=None if (scopes := data.get("scopes")) is None else tuple(scopes),
            incarnation=fields.text_of(data, "incarnation", ""),
            demo=bool(data.get("demo", False)),
            done=fields.int_of(data, "done", 0),
            total=fields.int_of(data, "total", 0),
        )


_UNSAID: Json = {
    "more": False,
    "blocks": [],
    "changes": [],
    "removed": [],
    "scopes": None,
    "incarnation": "",
    "demo": False,
    "done": 0,
    "total": 0,
}
