"""Who wins when two people changed the same row: decided here once, for server and tests alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import tables
from domain.tables import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """When a field changed last on the server: row version, clamped edit time (Unix ms), by whom."""

    ver: int
    at_ms: int
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One unit that two people changed. `applied` tells whether the incoming values are in the row now."""

    unit: str
    policy: Policy
    base: Mapping[str, Any]
    server: Mapping[str, Any]
    incoming: Mapping[str, Any]
    server_change: Change
    incoming_at_ms: int
    applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Fields to write, and what has to be told."""

    apply: Mapping[str, Any]
    conflicts: tuple[Conflict, ...]


def clamp_edit_ms(edit_ms: int, *, seen_server_ms: int, received_ms: int) -> int:
    """The time an edit counts as made: not before what its author had seen, not after it arrived."""
    return max(min(edit_ms, received_ms), min(seen_server_ms, received_ms))


def merge(
    table: tables.Table,
    *,
    server: Mapping[str, Any],
    changes: Mapping[str, Change],
    patch: Mapping[str, Any],
    base: Mapping[str, Any],
    base_ver: int,
    edit_ms: int,
) -> Outcome:
    """Three-way merge of `patch` (made from `base` at `base_ver`) into `server`, unit by unit.

    `edit_ms` is clamped already. A unit that nobody else changed since `base_ver` is applied; the same value is
    no conflict; otherwise the unit's policy decides, and both sides' values are in the conflict.
    """
    apply: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for unit in _units(table, patch):
        mine = {name: patch[name] for name in table.unit_fields(unit) if name in patch}
        policy = table.by_name[next(iter(mine))].policy
        theirs = {name: server.get(name) for name in table.unit_fields(unit)}
        latest = _latest(changes, theirs)
        if policy is Policy.STICKY:
            apply.update(_sticky(mine, theirs))
        elif policy is Policy.FIXED:
            continue
        elif policy is Policy.UNION:
            # Always by what was added and removed: a second change of one's own is made from a list
            # that doesn't have what the first one was merged with.
            apply.update({name: _union(base.get(name), theirs[name], value) for name, value in mine.items()})
        elif latest is None or _unchanged(latest, base_ver, mine, theirs, base):
            apply.update(_kept(mine, theirs, base) if policy is Policy.TEXT else mine)
        else:
            written, applied = _decide(policy, mine, theirs, base, newer=edit_ms >= latest.at_ms)
            apply.update(written)
            if policy is Policy.DERIVED:
                continue
            conflicts.append(
                Conflict(
                    unit=unit,
                    policy=policy,
                    base={name: base.get(name) for name in theirs},
                    server=theirs,
                    incoming={**theirs, **mine}
                    if policy is Policy.TEXT
                    else {**_whole(base, theirs), **mine},
                    server_change=latest,
                    incoming_at_ms=edit_ms,
                    applied=applied,
                )
            )
    return Outcome(
        apply={name: value for name, value in apply.items() if server.get(name) != value},
        conflicts=tuple(conflicts),
    )


def overlay(
    table: tables.Table, server: Mapping[str, Any], patch: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, Any]:
    """What its author sees while a change waits: their values upon the server's, lists and opt-outs merged."""
    shown = dict(server)
    for name, value in patch.items():
        field = table.by_name.get(name)
        if field is not None and field.policy is Policy.UNION:
            shown[name] = _union(base.get(name), server.get(name), value)
        elif field is not None and field.policy is Policy.STICKY:
            unit = {other: server.get(other) for other in table.unit_fields(field.unit)}
            shown.update(_sticky({name: value}, unit))
        else:
            shown[name] = value
    return shown


def _unchanged(
    latest: Change,
    base_ver: int,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    base: Mapping[str, Any],
) -> bool:
    """Nobody else changed the unit since it was seen, or both wrote the same.

    The server's values being those that the author started from also covers a second change of one's own
    that was made before the first one was confirmed: its base_ver is older than what the first one wrote.
    """
    if latest.ver <= base_ver or all(theirs[name] == mine[name] for name in mine):
        return True
    return all(name in base for name in mine) and all(
        base.get(name, theirs[name]) == theirs[name] for name in theirs
    )


def _units(table: tables.Table, patch: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(table.by_name[name].unit for name in patch))


def _whole(base: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The unit as the editor saw it: a unit is kept or restored whole, never half theirs, half mine."""
    return {name: base.get(name, theirs[name]) for name in theirs}


def _latest(changes: Mapping[str, Change], names: Iterable[str]) -> Change | None:
    found = [changes[name] for name in names if name in changes]
    return max(found, key=lambda change: change.ver, default=None)


def _sticky(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Once true, only a fuller record may be added: a false from elsewhere never undoes an opt-out."""
    already = any(value is True for value in theirs.values())
    return {} if already else mine


def _decide(
    policy: Policy,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    base: Mapping[str, Any],
    *,
    newer: bool,
) -> tuple[Mapping[str, Any], bool]:
    if policy is Policy.MANUAL:
        return {}, False
    if policy is Policy.TEXT:
        return {name: _both(theirs[name], value, base.get(name)) for name, value in mine.items()}, True
    if newer:
        return {**_whole(base, theirs), **mine}, True
    return {}, False


def _kept(mine: Mapping[str, Any], theirs: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Prose nobody else changed since: the author's, unless their first change was merged with what they never saw."""
    return {
        name: value
        if theirs[name] == base.get(name, theirs[name])
        else _both(theirs[name], value, base.get(name))
        for name, value in mine.items()
    }


def _union(base: Any, theirs: Any, mine: Any) -> list[Any]:
    before, there, here = (value if isinstance(value, list) else [] for value in (base, theirs, mine))
    removed = [item for item in before if item not in here]
    kept = [item for item in there if item not in removed]
    return kept + [item for item in here if item not in kept and item not in before]


def _both(theirs: Any, mine: Any, base: Any) -> Any:
    """Keeps both texts, the server's first; a text that contains the other is enough alone."""
    if not theirs or not mine:
        return mine or theirs
    if theirs in mine:
        return mine
    if mine in theirs:
        return theirs
    if base and theirs.endswith(f"\n\n{base}"):
        # The server's ends with what the author changed: their own text, put below somebody else's before.
        return f"{theirs[: -len(base)]}{mine}"
    return f"{theirs}\n\n{mine}"
