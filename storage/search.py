"""Full-text search over what the person may see: leads, notes, tasks, interactions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from domain import tables
from storage import database, rows

SEARCHED = frozenset({"leads", "notes", "tasks", "interactions"})
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_MAX_WORDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A found row. `snippet` marks the found words by U+0002 … U+0003."""

    table: str
    id: str
    lead_id: str | None
    title: str
    snippet: str


def query(text: str) -> str:
    """Any text of a person as a safe FTS5 query: all words, the last one as a beginning. "" = nothing to find."""
    words = _WORD.findall(unicodedata.normalize("NFC", text))[:_MAX_WORDS]
    return " ".join(f'"{word}"*' for word in words)


def find(
    reads: database.Reads, text: str, *, tables: Sequence[str] = (), limit: int = 50, offset: int = 0
) -> list[Hit]:
    """Best first, leads before others of the same rank; of a word that is everywhere the newest first."""
    wanted = query(text)
    if not wanted:
        return []
    chosen = [name for name in tables if name in SEARCHED] or sorted(SEARCHED)
    sql = _NEWEST if _is_vague(reads, wanted) else _BEST
    found = reads.rows(sql, (wanted, rows.dumps(chosen), limit, offset))
    return [
        Hit(
            table=row["tbl"], id=row["id"], lead_id=row["lead_id"], title=row["title"], snippet=row["snippet"]
        )
        for row in found
    ]


_HITS = (
    "SELECT r.tbl, r.id, r.lead_id, s.title, snippet(search, -1, char(2), char(3), '…', 16) AS snippet"
    " FROM search AS s JOIN search_rows AS r ON r.rid = s.rowid"
    " WHERE search MATCH ? AND r.tbl IN (SELECT value FROM json_each(?)) ORDER BY "
)
_BEST = _HITS + "bm25(search, 4.0, 1.0), r.tbl = 'leads' DESC, r.rid DESC LIMIT ? OFFSET ?"
_NEWEST = _HITS + "s.rowid DESC LIMIT ? OFFSET ?"
_MANY = 3000


def _is_vague(reads: database.Reads, wanted: str) -> bool:
    """So many hits that ranking them all would take longer than a person waits (one typed letter)."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
    return int(reads.value(sql, (wanted, _MANY))) == _MANY


def document(table: str, row: Mapping[str, Any]) -> tuple[str, str]:
    """Title and body of a row in the index."""
    match table:
        case "leads":
            parts = ("address", "city", "state", "zip", "email", "area", "motivation", "source")
            body = [*(row.get(part) for part in parts), *_phone(row.get("phone")), *(row.get("tags") or ())]
            return str(row.get("name") or ""), _join(body)
        case "notes":
            return "", _join([row.get("text"), row.get("transcript")])
        case "tasks":
            return str(row.get("title") or ""), _join([row.get("text")])
        case _:
            return "", _join([row.get("body"), row.get("outcome")])


def _join(parts: Iterable[Any]) -> str:
    return "\n".join(str(part) for part in parts if part)


def _phone(phone: Any) -> tuple[str, ...]:
    """+12065551234 is found by 2065551234, by 206 555 1234 and by 1234."""
    digits = "".join(c for c in str(phone or "") if c.isdigit())
    if len(digits) == 11 and digits[0] == "1":
        local = digits[1:]
        return digits, local, f"{local[:3]} {local[3:6]} {local[6:]}"
    return (digits,) if digits else ()


def index(tx: database.Transaction, table: str, row_id: str, row: Mapping[str, Any] | None) -> None:
    """Bring one row's line up to date; None takes it out."""
    index_many(tx, table, [(row_id, row)])


def index_many(
    tx: database.Transaction, table: str, changed: Sequence[tuple[str, Mapping[str, Any] | None]]
) -> None:
    """As `index`, for many rows of one table. A line that reads the same is left alone: most changes are such."""
    if table not in SEARCHED or not changed:
        return
    known = _known(tx, table, [row_id for row_id, _ in changed])
    fresh: list[tuple[str, _Line]] = []
    gone: list[int] = []
    for row_id, row in changed:
        old = known.get(row_id)
        new = None if row is None else _Line(_lead(table, row_id, row), *document(table, row))
        if old is not None and old[1] != new:
            gone.append(old[0])
        if new is not None and (old is None or old[1] != new):
            fresh.append((row_id, new))
    _take_out(tx, gone)
    _put_in(tx, table, fresh)


class _Line(NamedTuple):
    lead_id: str | None
    title: str
    body: str


def _take_out(tx: database.Transaction, rids: Sequence[int]) -> None:
    if rids:
        tx.executemany("DELETE FROM search WHERE rowid = ?", [(rid,) for rid in rids])
        tx.executemany("DELETE FROM search_rows WHERE rid = ?", [(rid,) for rid in rids])


def _put_in(tx: database.Transaction, table: str, lines: Sequence[tuple[str, _Line]]) -> None:
    if not lines:
        return
    first = int(tx.value("SELECT coalesce(max(rid), 0) FROM search_rows")) + 1
    tx.executemany(
        "INSERT INTO search_rows (rid, tbl, id, lead_id) VALUES (?, ?, ?, ?)",
        [(rid, table, row_id, line.lead_id) for rid, (row_id, line) in enumerate(lines, first)],
    )
    tx.executemany(
        "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)",
        [(rid, line.title, line.body) for rid, (_, line) in enumerate(lines, first)],
    )


def compact(tx: database.Transaction) -> None:
    """Rewrite the index: FTS5 keeps the words of deleted lines until then."""
    tx.execute("INSERT INTO search (search) VALUES ('optimize')")


def _lead(table: str, row_id: str, row: Mapping[str, Any]) -> str | None:
    lead: str | None = row_id if table == tables.LEADS.name else row.get("lead_id")
    return lead


def _known(tx: database.Transaction, table: str, row_ids: Sequence[str]) -> dict[str, tuple[int, _Line]]:
    found = tx.rows(
        "SELECT r.id, r.rid, r.lead_id, s.title, s.body FROM search_rows AS r JOIN search AS s ON s.rowid = r.rid"
        " WHERE r.tbl = ? AND r.id IN (SELECT value FROM json_each(?))",
        (table, rows.dumps(list(row_ids))),
    )
    return {row["id"]: (row["rid"], _Line(row["lead_id"], row["title"], row["body"])) for row in found}
