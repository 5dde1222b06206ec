"""Who wins when two people changed the same row: decided here once, for server and tests alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """One unit that two people changed. `applied` tells whether the incoming values are in the row now.

    `base` and `incoming` have what the author is known to have seen and wanted, nothing else. `open`: a person must choose.
    """

    unit: str
    policy: Policy
    base: Mapping[str, Any]
    server: Mapping[str, Any]
    incoming: Mapping[str, Any]
    server_change: Change
    incoming_at_ms: int
    applied: bool
    open: bool


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
    whole: bool = False,
) -> Outcome:
    """Three-way merge of `patch` (made from `base` at `base_ver`) into `server`, unit by unit.

    `edit_ms` is clamped already. A unit that nobody else changed since `base_ver` is applied; the same value is no conflict;
    else its policy decides, and both values are in the conflict. `whole`: what the patch does not say of a unit is empty.
    """
    apply, conflicts = dict[str, Any](), list[Conflict]()
    since = {name for name, change in changes.items() if change.ver > base_ver}
    for unit in _units(table, patch):
        theirs = {name: server.get(name) for name in table.unit_fields(unit)}
        mine = {name: patch[name] for name in theirs if name in patch}
        seen = _seen(theirs, base, since)
        case = _Case(table=table, unit=unit, mine=mine, theirs=theirs, base=base, seen=seen, edit_ms=edit_ms)
        latest = _latest(changes, theirs)
        if latest is None or case.policy in _ALWAYS or _unchanged(latest, base_ver, case):
            apply.update(_alone(case))
            continue
        if whole:
            case = replace(case, mine={**dict.fromkeys(theirs), **mine})
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
    """One unit: what the author wants, what the server has, and what the author started from.

    `seen`: the unit as the author saw it, as far as that is known.
    """

    table: tables.Table
    unit: str
    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    base: Mapping[str, Any]
    seen: Mapping[str, Any]
    edit_ms: int

    @property
    def policy(self) -> Policy:
        return self.table.by_name[next(iter(self.mine))].policy

    @property
    def meant(self) -> dict[str, Any]:
        """The unit as its author wants it, as far as that is known."""
        return {name: said[name] for name in self.theirs if name in (said := {**self.seen, **self.mine})}

    @property
    def is_torn(self) -> bool:
        """Somebody else changed a part of it that its author neither wrote nor is known to have seen."""
        return len(self.meant) < len(self.theirs)


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
        name in case.seen and case.seen[name] == theirs[name] for name in theirs
    )


def _verdict(case: _Case) -> Verdict:
    """NEWEST stands for every policy that leaves a record."""
    if case.policy is Policy.GUARDED:
        return guards.decide(case.table, case.unit, case.theirs, case.mine)
    if case.policy is Policy.DERIVED:
        return Verdict.TAKE
    return Verdict.NEWEST


def _conflict(case: _Case, latest: Change, applied: bool) -> Conflict:
    return Conflict(
        unit=case.unit,
        policy=case.policy,
        base=case.seen,
        server=case.theirs,
        incoming=case.meant,
        server_change=latest,
        incoming_at_ms=case.edit_ms,
        applied=applied,
        open=case.policy is Policy.MANUAL or case.is_torn,
    )


def _units(table: tables.Table, patch: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(table.by_name[name].unit for name in patch))


def _seen(theirs: Mapping[str, Any], base: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """What `base` says; of a part that it lacks the row's value, if nobody else changed that since (`changed`)."""
    return {
        name: base[name] if name in base else value
        for name, value in theirs.items()
        if name in base or name not in changed
    }


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
            # A unit is kept or replaced whole, never half theirs, half mine.
            return (case.meant, True) if newer and not case.is_torn else ({}, False)


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
