"""Who wins when two people changed the same row: decided here once, for server and tests alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain import diff3, guards, tables
from domain.guards import Verdict
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
    """Fields to write, and what has to be told. `refused`: a unit whose rules forbid the change; nothing is to be written."""

    apply: Mapping[str, Any]
    conflicts: tuple[Conflict, ...]
    refused: str = ""


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
        names = table.unit_fields(unit)
        mine = {name: patch[name] for name in names if name in patch}
        case = _Case(
            table=table,
            unit=unit,
            mine=mine,
            theirs={name: server.get(name) for name in names},
            base=base,
            edit_ms=edit_ms,
        )
        latest = _latest(changes, names)
        if latest is None or case.policy in _ALWAYS or _unchanged(latest, base_ver, case):
            apply.update(_alone(case))
            continue
        verdict = _verdict(case)
        if verdict is Verdict.REFUSE:
            return Outcome(apply={}, conflicts=(), refused=unit)
        written, applied = _decide(case, verdict, newer=edit_ms >= latest.at_ms)
        apply.update(written)
        if verdict is Verdict.NEWEST:
            conflicts.append(_conflict(case, latest, applied))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One unit: what the author wants, what the server has, and what the author started from."""

    table: tables.Table
    unit: str
    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    base: Mapping[str, Any]
    edit_ms: int

    @property
    def policy(self) -> Policy:
        return self.table.by_name[next(iter(self.mine))].policy


_ALWAYS = frozenset({Policy.STICKY, Policy.FIXED, Policy.UNION})
"""Who changed the unit before makes no difference to these."""


def _alone(case: _Case) -> Mapping[str, Any]:
    """What is written where nobody else is in the way."""
    match case.policy:
        case Policy.FIXED:
            return {}
        case Policy.STICKY:
            return _sticky(case.mine, case.theirs)
        case Policy.UNION:
            # Always by what was added and removed: a second change of one's own is made from a list
            # that doesn't have what the first one was merged with.
            return {
                name: _union(case.base.get(name), case.theirs[name], value)
                for name, value in case.mine.items()
            }
        case Policy.TEXT:
            return _kept(case.mine, case.theirs, case.base)
        case _:
            return case.mine


def _unchanged(latest: Change, base_ver: int, case: _Case) -> bool:
    """Nobody else changed the unit since it was seen, or both wrote the same.

    The server's values being those that the author started from also covers a second change of one's own
    that was made before the first one was confirmed: its base_ver is older than what the first one wrote.
    """
    mine, theirs, base = case.mine, case.theirs, case.base
    if latest.ver <= base_ver or all(theirs[name] == mine[name] for name in mine):
        return True
    return all(name in base for name in mine) and all(
        base.get(name, theirs[name]) == theirs[name] for name in theirs
    )


def _verdict(case: _Case) -> Verdict:
    """NEWEST stands for every policy that leaves a record."""
    if case.policy is Policy.GUARDED:
        return guards.decide(case.table, case.unit, case.theirs, case.mine)
    if case.policy is Policy.DERIVED:
        return Verdict.TAKE
    return Verdict.NEWEST


def _conflict(case: _Case, latest: Change, applied: bool) -> Conflict:
    seen = case.theirs if case.policy is Policy.TEXT else _whole(case.base, case.theirs)
    return Conflict(
        unit=case.unit,
        policy=case.policy,
        base={name: case.base.get(name) for name in case.theirs},
        server=case.theirs,
        incoming={**seen, **case.mine},
        server_change=latest,
        incoming_at_ms=case.edit_ms,
        applied=applied,
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


def _decide(case: _Case, verdict: Verdict, *, newer: bool) -> tuple[Mapping[str, Any], bool]:
    """What is written, and whether the incoming values are in the row now."""
    mine, theirs, base = case.mine, case.theirs, case.base
    match case.policy:
        case Policy.MANUAL:
            return {}, False
        case Policy.TEXT:
            return {name: _both(theirs[name], value, base.get(name)) for name, value in mine.items()}, True
        case Policy.GUARDED if verdict is not Verdict.NEWEST:
            return (mine, True) if verdict is Verdict.TAKE else ({}, False)
        case _:
            return ({**_whole(base, theirs), **mine}, True) if newer else ({}, False)


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
    seen, wanted = among(before), among(here)
    kept = [item for item in there if wanted(item) or not seen(item)]
    already = among(kept)
    return kept + [item for item in here if not (already(item) or seen(item))]


def among(items: Sequence[Any]) -> Callable[[Any], bool]:
    """Whether something is one of `items`, in the same time however many they are: words, but a base may hold anything."""
    words = {item for item in items if isinstance(item, str)}
    others = [item for item in items if not isinstance(item, str)]
    return lambda item: item in words if isinstance(item, str) else item in others


def _both(theirs: Any, mine: Any, base: Any) -> Any:
    """One text where they changed different sentences; else both, the server's first, unless one contains the other."""
    if not theirs or not mine:
        return mine or theirs
    if theirs in mine:
        return mine
    if mine in theirs:
        return theirs
    merged = diff3.merge(base or "", theirs, mine)
    if merged is not None:
        return merged
    if base and theirs.endswith(f"\n\n{base}"):
        # The server's ends with what the author changed: their own text, put below somebody else's before.
        return f"{theirs[: -len(base)]}{mine}"
    return f"{theirs}\n\n{mine}"
