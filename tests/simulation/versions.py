"""Other releases than this one: in such a world today's tables are schema 3, and some phones have an app that does not say it so.

A phone's store is always today's; what an older app would have said is put into its words on the way out, by hand and not by
the lenses that are on trial, and its answers are read by hand. Schema 2 called `source` `origin` in schema 1, and let go of
`fax`; schema 3 wrote no `said: ` before `motivation` and brought `area`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain import wire
from domain.wire.lenses import Add, Chain, Convert, Lens, Remove, Rename
from tests.simulation.http import Answer, Request, unpacked
from tests.simulation.world import Violation

NOW = wire.SCHEMA + 2
GROUP = 10
_FAX = "none"


def _unworded(said: str) -> str:
    """Raises: ValueError."""
    before, mark, value = said.partition("said: ")
    if before or not mark:
        raise ValueError(said)
    return value


_TABLE = "leads"

CHAIN = Chain(
    current=NOW,
    lenses=(
        Lens(schema=NOW - 1, table=_TABLE, steps=(Rename("origin", "source"), Remove("fax", _FAX))),
        Lens(
            schema=NOW,
            table=_TABLE,
            steps=(
                Convert("motivation", newer=_unworded, older="said: {}".format),
                Add("area"),
            ),
        ),
    ),
)
NEXT = replace(CHAIN, current=NOW + 1)
"""The server's after its own update: the oldest phones are too old for it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an app speaks that is so many releases behind ours; -1: ahead of the server, with a field of its own in
    the changes after `since` and up to `until`."""

    behind: int
    since: int = 0
    until: int = 1 << 62

    @property
    def schema(self) -> int:
        return NOW - self.behind

    def said(self, request: Request) -> Request:
        """A request as this app says it."""
        headers = {**request.headers, wire.SCHEMA_HEADER: str(self.schema)}
        if request.path != "/api/sync/push":
            return replace(request, headers=headers)
        push = json.loads(request.data())
        for change in push["mutations"]:
            stored = change.get("schema", wire.SCHEMA)
            said = self.change(change) if stored == wire.SCHEMA else {}
            change.update(said, schema=self._made_by(int(change["mid"])) + stored - wire.SCHEMA)
        headers.pop("Content-Encoding", None)
        return replace(request, headers=headers, body=json.dumps(push).encode())

    def _made_by(self, mid: int) -> int:
        """The schema of the app that made this change: an update does not rewrite what lies in the store."""
        return NOW if self.behind < 0 and mid <= self.since else self.schema

    def change(self, change: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """`patch` and `base` of a mutation of ours, as this app would have written them."""
        patch, base, mid = dict(change.get("patch", {})), dict(change.get("base", {})), int(change["mid"])
        if change["table"] != _TABLE or not patch:
            return {"patch": patch, "base": base}
        if self.behind < 0 and self.since < mid <= self.until and mid % 3 == 0:
            patch["mood"] = "odd"
        if self.behind >= 1 and (mid % 40 or "motivation" not in patch):  # else a value that nobody can turn
            patch = _worded(patch)
        if self.behind >= 2:
            patch = {("origin" if name == "source" else name): value for name, value in patch.items()}
            base = {("origin" if name == "source" else name): value for name, value in base.items()}
            patch["fax"] = f"F {mid}"
        return {"patch": patch, "base": _worded(base) if self.behind >= 1 else base}

    def heard(self, answer: Answer) -> Answer:
        """An answer to this app, in our words. Raises: Violation when the app would not have understood it."""
        coded = answer.headers.get("Content-Encoding", "")
        if self.behind <= 0 or answer.status != 200 or b"{" not in (body := unpacked(coded, answer.body)):
            return answer
        try:
            said = json.loads(body)
        except ValueError:
            return answer  # a portal's
        if said.get("changes"):
            raise Violation("I2", "an older app is sent single fields of rows")
        for block in [*said.get("blocks", ()), *([said["block"]] if "block" in said else ())]:
            self._block(block)
        for result in said.get("results", ()):
            if isinstance(result, dict) and (result.get("row") or {}).get("values"):
                if result["row"]["table"] == _TABLE:
                    result["row"]["values"] = self._row(result["row"]["values"])
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Encoding"}
        return replace(answer, headers=headers, body=json.dumps(said).encode())

    def _block(self, block: dict[str, Any]) -> None:
        if block["table"] != _TABLE:
            return
        columns = block["columns"]
        found = [self._row(dict(zip(columns, row, strict=True))) for row in block["rows"]]
        names = list(self._row(dict.fromkeys(columns) | ({"fax": _FAX} if "fax" in columns else {})))
        block["columns"], block["rows"] = names, [[row[name] for name in names] for row in found]

    def _row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(values)
        strange = {"area"} | ({"source"} if self.behind >= 2 else set())
        if strange & found.keys():
            raise Violation(
                "I2", f"an app {self.behind} releases back is told {sorted(strange & found.keys())}"
            )
        if self.behind >= 2:
            if found.pop("fax", "") != _FAX:
                raise Violation("I2", "an older app misses a field that it knows")
            found["source"] = found.pop("origin")
        if found.get("motivation") is not None:
            found["motivation"] = str(found["motivation"]).removeprefix("said: ")
        return found


def _worded(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"said: {value}" if name == "motivation" and value is not None else value
        for name, value in given.items()
    }


def comparable(values: Mapping[str, Any], blind: bool) -> dict[str, Any]:
    """A row; `blind`: without the field that an app of another release than the server's does not know, or learns of only
    with the next change of the row (contents are compared between equal releases)."""
    return {**values, "area": None} if blind and "area" in values else dict(values)


def drawn(rng: random.Random) -> Dialect:
    """Half of the phones are of today."""
    return Dialect(rng.choice((0, 0, 1, 2)))
