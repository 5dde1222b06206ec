"""Up: a device's changes. What has its default is left out of the JSON; both forms are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from domain import errors, tables
from domain.wire import fields
from domain.wire.fields import Json
from domain.wire.results import Result, Status
from domain.wire.version import FIRST_SCHEMA, MAX_MUTATIONS, PROTOCOL, SCHEMA, check_protocol


class Op(StrEnum):
    PUT = "put"  # make the row (all fields in `patch`)
    PATCH = "patch"  # change some fields
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One change of one row, as the device's outbox holds it.

    `mid` counts up per device and epoch; (device, epoch, mid) makes a repeat harmless. `base_ver` is the
    row version that the person saw, `base` the values they changed from. `seen_server_ms` is the newest
    server time the device knew when the edit was made: the edit can't be older than that.
    """

    mid: int
    group: str
    table: str
    row_id: str
    op: Op
    patch: Mapping[str, Any]
    base_ver: int
    base: Mapping[str, Any]
    edit_ms: int
    seen_server_ms: int
    schema: int = SCHEMA

    def content_hash(self) -> str:
        """SHA-256 of what the mutation says: the same mid with another hash is another device's.

        The group is no part of it: what is left of one may be sent again alone.
        """
        body = json.dumps(self._whole(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        whole = self._whole()
        if self.group:
            whole["group"] = self.group
        return fields.without(whole, _UNSAID)

    def _whole(self) -> dict[str, Any]:
        return {
            "mid": self.mid,
            "table": self.table,
            "row_id": self.row_id,
            "op": self.op.value,
            "patch": dict(self.patch),
            "base_ver": self.base_ver,
            "base": dict(self.base),
            "edit_ms": self.edit_ms,
            "seen_server_ms": self.seen_server_ms,
            "schema": self.schema,
        }

    @classmethod
    def from_json(cls, data: Json) -> Mutation:
        """Raises: InputError for anything that is no mutation."""
        try:
            return cls(
                mid=fields.int_of(data, "mid"),
                group=fields.text_of(data, "group", ""),
                table=fields.text_of(data, "table"),
                row_id=fields.text_of(data, "row_id"),
                op=_op(fields.text_of(data, "op")),
                patch=fields.values_of(data, "patch"),
                base_ver=fields.version_of(data, "base_ver"),
                base=fields.values_of(data, "base"),
                edit_ms=fields.int_of(data, "edit_ms"),
                seen_server_ms=fields.int_of(data, "seen_server_ms", 0),
                schema=fields.int_of(data, "schema", FIRST_SCHEMA),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise errors.InputError(
                f"This is not a mutation: {fields.why(fault)}.",
                where="mutations",
                hint="See docs/sync.md for its fields.",
            ) from fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A device's changes, in the order they were made. Mutations of one `group` apply together or not at all."""

    device_id: str
    epoch: str
    mutations: Sequence[Mutation]
    protocol: int = PROTOCOL
    unreadable: Sequence[Result] = ()
    """On the server: what is no mutation but has a mid, as the results that say so."""
    broken: Sequence[Mutation] = ()
    """On the server: the readable rest of groups with such a one, and opt-outs out of what can't be read. Not applied, but
    an opt-out in them counts."""

    def as_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "device_id": self.device_id,
            "epoch": self.epoch,
            "mutations": list(self._mutations()),
        }

    def _mutations(self) -> Iterator[dict[str, Any]]:
        """A group of one needs no name."""
        for _, group in groupby(self.mutations, key=lambda mutation: mutation.group):
            some = [mutation.as_json() for mutation in group]
            if len(some) == 1:
                some[0].pop("group", None)
            yield from some

    @classmethod
    def from_json(cls, data: Json) -> Push:
        """Raises: InputError, VersionMismatchError."""
        check_protocol(data.get("protocol"))
        mutations = data.get("mutations")
        if not isinstance(mutations, list) or len(mutations) > MAX_MUTATIONS:
            raise errors.InputError(
                f"A push carries a list of at most {MAX_MUTATIONS} mutations.",
                where="mutations",
                hint="Split it.",
            )
        each = [_read_mutation(entry) for entry in mutations]
        read = _whole_groups(each, mutations)
        return cls(
            device_id=fields.name_of(data, "device_id"),
            epoch=fields.name_of(data, "epoch"),
            mutations=tuple(entry for entry in read if isinstance(entry, Mutation)),
            unreadable=tuple(entry for entry in read if isinstance(entry, Result)),
            broken=(
                *(one for one in each if isinstance(one, Mutation) and one not in read),
                *_optouts(mutations, each),
            ),
        )


_UNSAID: Json = {
    "base_ver": 0,
    "base": {},
    "patch": {},
    "seen_server_ms": 0,
    "schema": FIRST_SCHEMA,
}


def _op(said: str) -> Op:
    try:
        return Op(said)
    except ValueError as fault:
        raise ValueError(f"op must be one of {', '.join(Op)}") from fault


def _read_mutation(entry: object) -> Mutation | Result:
    """One that can't be read is parked by its mid, so that it doesn't stop the others.

    Raises: InputError for one without a number to answer it by: then nothing of the push is taken.
    """
    data = entry if isinstance(entry, dict) else {}
    mid = data.get("mid")
    if not isinstance(mid, int) or isinstance(mid, bool) or not 1 <= mid < 1 << 63:
        raise errors.InputError(
            "Each mutation needs its number: mid, a whole number from 1 on. Nothing of this push was taken.",
            where="mutations.mid",
            hint="Number the changes of a store from 1 on and send them again.",
        )
    try:
        return Mutation.from_json(data)
    except errors.InputError as fault:
        return Result(mid=mid, status=Status.PARKED, code="unreadable", message=fault.message)


def _optouts(entries: Sequence[Json], read: Sequence[Mutation | Result]) -> Iterator[Mutation]:
    """The opt-outs in what can't be read: they count where table, lead and word can be told apart from the rest."""
    for entry, one in zip(entries, read, strict=True):
        patch, row_id = entry.get("patch"), entry.get("row_id")
        if isinstance(one, Result) and entry.get("table") == tables.LEADS.name and isinstance(patch, dict):
            yield Mutation(
                mid=one.mid,
                group="",
                table=tables.LEADS.name,
                row_id=row_id if isinstance(row_id, str) else "",
                op=Op.PATCH,
                patch={name: said for name, said in patch.items() if isinstance(said, str | bool)},
                base_ver=0,
                base={},
                edit_ms=_about(entry.get("edit_ms")),
                seen_server_ms=_about(entry.get("seen_server_ms")),
            )


def _about(said: object) -> int:
    """A time that is no whole number, as one; 0 = not known."""
    if isinstance(said, int | float) and not isinstance(said, bool) and abs(said) < 1 << 62:
        return int(said)
    return 0


def _whole_groups(
    read: Sequence[Mutation | Result], entries: Sequence[object]
) -> Sequence[Mutation | Result]:
    """Where one of a group can't be read, none of it may be applied."""
    whole: list[Mutation | Result] = []
    places = groupby(range(len(read)), key=lambda place: _group_of(entries[place]) or place)
    for _, group in places:
        some = [read[place] for place in group]
        broken = any(isinstance(one, Result) for one in some)
        whole += [_parked_with_group(one) if broken else one for one in some]
    return whole


def _group_of(entry: object) -> str:
    group = entry.get("group") if isinstance(entry, dict) else ""
    return group if isinstance(group, str) else ""


def _parked_with_group(one: Mutation | Result) -> Result:
    if isinstance(one, Result):
        return one
    return Result(
        mid=one.mid,
        status=Status.PARKED,
        code="group",
        message="It belongs to a change that could not be applied.",
    )
