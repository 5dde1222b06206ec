"""Two leads that are one person: when they may be, and one lead made of both."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from domain import merge, phones, plain
from domain.tables import LEADS, Policy

Values = Mapping[str, Any]

UNIT = "duplicate"
"""Unit and policy of the conflict between two leads."""
MERGE = "merge"
"""The resolution that makes one lead of both; the other one is "keep_both"."""

_LATER = ("last_inbound_at", "last_touch_at")
_NOT_THEIRS = frozenset({"location_id", "created_at", "external_id"})
# As migration 020 has it, small letters too: other alphabets' capitals differ between databases.
_ADDRESS = re.compile(r"""[^ @<>,;:"()\[\]]+@[^ @<>,;:"()\[\]]+""")
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def emails(field: str) -> tuple[str, ...]:
    """The addresses in an e-mail field: blanks and names around them, and capitals, make no other ones."""
    return tuple(dict.fromkeys(found.translate(_SMALL) for found in _ADDRESS.findall(plain.clipped(field))))


def ways(lead: Values) -> tuple[str, ...]:
    """How to reach this lead, numbers and e-mails: leads that share one may be one person."""
    return (*phones.numbers(lead["phone"] or ""), *emails(lead["email"] or ""))


def age(lead_id: str, lead: Values) -> tuple[str, str]:
    """Sorts the older lead first."""
    return lead["created_at"], lead_id


def united(winner: Values, loser: Values) -> dict[str, Any]:
    """What changes in `winner` when `loser` becomes part of it.

    Empty units are filled, tags and answers united, the later contact counts, an opt-out stays.
    """
    changed: dict[str, Any] = {}
    for unit in dict.fromkeys(field.unit for field in LEADS.fields):
        names = [name for name in LEADS.unit_fields(unit) if name not in _NOT_THEIRS]
        if names:
            changed |= _unit(LEADS.by_name[names[0]].policy, names, winner, loser)
    for name in _LATER:
        changed[name] = max(filter(None, (winner[name], loser[name])), default=None)
    changed["answers"] = _answers(winner["answers"], loser["answers"])
    return {name: value for name, value in changed.items() if winner[name] != value}


def left_over(winner: Values, loser: Values) -> dict[str, Any]:
    """What of `loser` the united lead doesn't say: kept with the record, so that nothing is lost."""
    return {
        name: loser[name]
        for name in LEADS.columns
        if name not in _NOT_THEIRS
        and LEADS.by_name[name].policy is not Policy.DERIVED
        and not _is_empty(loser[name])
        and loser[name] != winner[name]
    }


def _unit(policy: Policy, names: list[str], winner: Values, loser: Values) -> dict[str, Any]:
    if policy is Policy.UNION:
        return {name: _list(winner[name], loser[name]) for name in names}
    if policy is Policy.STICKY:
        opted_out = loser["opted_out"] and not winner["opted_out"]
        return {name: loser[name] for name in names} if opted_out else {}
    if all(_is_empty(winner[name]) for name in names):
        return {name: loser[name] for name in names}
    return {}


def _list(one: Any, other: Any) -> Any:
    if not other:
        return one
    known = merge.among(one or [])
    return [*(one or []), *(word for word in other if not known(word))]


def _answers(one: Any, other: Any) -> Any:
    if not isinstance(other, dict) or not isinstance(one, dict):
        return other if _is_empty(one) else one
    return {**other, **{key: value for key, value in one.items() if not _is_empty(value)}}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def named(lead_id: str, lead: Values) -> dict[str, Any]:
    """How the record names one of the two."""
    return {"id": lead_id, "name": lead["name"], "phone": lead["phone"]}
