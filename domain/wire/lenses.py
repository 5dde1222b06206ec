"""Apps of the two releases before this one go on syncing: what their tables say is turned into ours, and back.

A `Lens` leads from one schema of a table to the next, step by step. A chain of them is walked up for a change that an older
app made and down for rows that an older app gets. Raise `wire.SCHEMA` with each change of domain/tables.py and add the lens
here; lenses that lead to a schema more than two back may go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain import errors, tables, values
from domain.wire.changes import Mutation, Op
from domain.wire.pages import Block
from domain.wire.results import Row
from domain.wire.version import FIRST_SCHEMA, SCHEMA

Values = Mapping[str, Any]
REACH = 2
"""So many releases back an app may be and still pull."""
_MOST_NAMED = 5


class UnmappableError(ValueError):
    """A change can't be said in our tables. `code` as in a parked result."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str

    def up(self, given: Values, *, whole: bool) -> dict[str, Any]:
        return {self.new if name == self.old else name: value for name, value in given.items()}

    def down(self, given: Values) -> dict[str, Any]:
        return {self.old if name == self.new else name: value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Add:
    """A field that older apps don't know: their new rows get the default, their edits leave it alone."""

    name: str
    default: Any = None

    def up(self, given: Values, *, whole: bool) -> dict[str, Any]:
        return {self.name: self.default, **given} if whole else dict(given)

    def down(self, given: Values) -> dict[str, Any]:
        return _without(given, self.name)


@dataclass(frozen=True, slots=True)
class Remove:
    """A field that is no more: older apps see `shown`, and what they write there is let go (else rename or convert it)."""

    name: str
    shown: Any = None

    def up(self, given: Values, *, whole: bool) -> dict[str, Any]:
        return _without(given, self.name)

    def down(self, given: Values) -> dict[str, Any]:
        return {**given, self.name: self.shown}


@dataclass(frozen=True, slots=True)
class Convert:
    """Another type or unit of the same field. A value that can't be turned raises ValueError or TypeError. None stays None."""

    name: str
    newer: Callable[[Any], Any]
    older: Callable[[Any], Any]

    def up(self, given: Values, *, whole: bool) -> dict[str, Any]:
        return self._turned(given, self.newer)

    def down(self, given: Values) -> dict[str, Any]:
        return self._turned(given, self.older)

    def _turned(self, given: Values, turn: Callable[[Any], Any]) -> dict[str, Any]:
        return {
            name: turn(value) if name == self.name and value is not None else value
            for name, value in given.items()
        }


Step = Rename | Add | Remove | Convert


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """How `table` became what it is in `schema`, from the schema before it."""

    schema: int
    table: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All lenses up to the schema `current`."""

    current: int = SCHEMA
    lenses: Sequence[Lens] = ()

    def check(self, schema: int) -> None:
        """May an app of this schema pull? Raises: VersionMismatchError."""
        if schema > self.current:
            raise errors.VersionMismatchError(
                f"This app is newer than its server: its tables are version {schema}, the server's {self.current}.",
                where="schema",
                hint="The server is to be updated. Work goes on and is sent; what others do comes after that.",
            )
        if schema < max(FIRST_SCHEMA, self.current - REACH):
            raise errors.VersionMismatchError(
                f"This app is too old: its tables are version {schema}, the server's {self.current}.",
                where="schema",
                hint="Update the app. Work goes on and is sent; what others do comes after the update.",
            )

    def raised(self, mutation: Mutation) -> Mutation:
        """The change as this release says it, number and id as they were. Raises: UnmappableError."""
        if mutation.schema > self.current:
            return _known_only(mutation)
        steps = self._steps(mutation.table, mutation.schema)
        if not steps:
            return mutation
        patch, base = mutation.patch, mutation.base
        for step in steps:
            try:
                patch = step.up(patch, whole=mutation.op is Op.PUT)
                base = step.up(base, whole=False)
            except (TypeError, ValueError) as fault:
                raise UnmappableError(
                    "schema", "A value of an older app fits no field of today's."
                ) from fault
        return replace(mutation, patch=patch, base=base, schema=self.current)

    def turns(self, mutation: Mutation) -> bool:
        """Is it said in other words than today's?"""
        return bool(self._steps(mutation.table, mutation.schema))

    def row(self, row: Row, schema: int) -> Row:
        """A row as an app of `schema` reads it."""
        steps = self._steps(row.table, schema)
        return replace(row, values=_down(steps, row.values)) if steps and row.values else row

    def block(self, block: Block, schema: int) -> Block:
        steps = self._steps(block.table, schema)
        if not steps:
            return block
        names = block.columns[2:]
        lowered = [_down(steps, dict(zip(names, row[2:], strict=True))) for row in block.rows]
        columns = list(_down(steps, dict.fromkeys(names)))
        rows = [
            [row[0], row[1], *(found[name] for name in columns)]
            for row, found in zip(block.rows, lowered, strict=True)
        ]
        return replace(block, columns=("id", "ver", *columns), rows=rows)

    def _steps(self, table: str, schema: int) -> Sequence[Step]:
        lenses = sorted(
            (lens for lens in self.lenses if lens.table == table and schema < lens.schema <= self.current),
            key=lambda lens: lens.schema,
        )
        return [step for lens in lenses for step in lens.steps]


CHAIN = Chain()
"""This release's."""


def _known_only(mutation: Mutation) -> Mutation:
    table = tables.BY_NAME.get(mutation.table)
    unknown = sorted(mutation.patch.keys() - table.by_name.keys()) if table else []
    if unknown:
        named = ", ".join(values.shown(name) for name in unknown[:_MOST_NAMED])
        raise UnmappableError(
            "unknown_field",
            f"The server does not know {named} yet: send it again when it is updated.",
        )
    return mutation


def _down(steps: Sequence[Step], given: Values) -> dict[str, Any]:
    found = dict(given)
    for step in reversed(steps):
        found = step.down(found)
    return found


def _without(given: Values, name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}
