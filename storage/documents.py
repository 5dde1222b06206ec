"""What of a row can be searched, as one title and one text: said once, in SQL, for the index and for rows not in it yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """SQL expressions over one table's row. `fields`: where none of these changed, the document is the same."""

    fields: tuple[str, ...]
    title: str
    body: str
    lead_id: str = "lead_id"


def _lines(*names: str) -> str:
    return " || ".join(f"coalesce({name} || char(10), '')" for name in names)


def _text(*parts: str) -> str:
    return f"rtrim({' || '.join(parts)}, char(10))"


# +12065551234 is found by 2065551234, by 206 555 1234 and by 1234.
_PHONE = (
    "CASE WHEN phone IS NULL THEN '' WHEN phone LIKE '+1%' AND length(phone) = 12 THEN substr(phone, 2) || char(10)"
    " || substr(phone, 3) || char(10) || substr(phone, 3, 3) || ' ' || substr(phone, 6, 3) || ' ' || substr(phone, 9)"
    " || char(10) ELSE phone || char(10) END"
)
_TAGS = "CASE WHEN tags IS NULL THEN '' ELSE (SELECT coalesce(group_concat(value, char(10)), '') FROM json_each(tags)) END"
_LEAD = ("address", "city", "state", "zip", "email", "area", "motivation", "source")

BY_TABLE: Mapping[str, Document] = {
    tables.LEADS.name: Document(
        fields=("name", *_LEAD, "phone", "tags"),
        title="name",
        body=_text(_lines(*_LEAD), _PHONE, _TAGS),
        lead_id="id",
    ),
    tables.NOTES.name: Document(
        fields=("text", "transcript"), title="''", body=_text(_lines("text", "transcript"))
    ),
    tables.TASKS.name: Document(fields=("title", "text"), title="title", body=_text(_lines("text"))),
    tables.INTERACTIONS.name: Document(
        fields=("body", "outcome"), title="''", body=_text(_lines("body", "outcome"))
    ),
}


def kept_line(table: str) -> str:
    """For an upsert: a row that reads the same keeps its line in the search index, another gets the new one (or none).

    "" for tables without search.
    """
    known = BY_TABLE.get(table)
    if known is None:
        return ""
    same = " AND ".join(f"{table}.{column} IS excluded.{column}" for column in known.fields)
    return f"_rid = CASE WHEN {same} THEN {table}._rid ELSE excluded._rid END"
