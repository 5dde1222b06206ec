"""Full-text search over what the person may see: leads, notes, tasks, interactions."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from storage import database, documents, rows

SEARCHED = frozenset(documents.BY_TABLE)
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
    """What changed just now (and is not in the index yet) first, then the best, leads before others of the same rank.

    Of a word that is everywhere the newest come first.
    """
    wanted = query(text)
    if not wanted:
        return []
    chosen = [name for name in tables if name in SEARCHED] or sorted(SEARCHED)
    fresh = _matching(wanted, [one for name in chosen for one in _unindexed(reads, name)])
    hits = fresh[offset : offset + limit]
    if len(hits) < limit:
        hits += _indexed(reads, wanted, chosen, limit - len(hits), max(0, offset - len(fresh)))
    return hits


class _Document(NamedTuple):
    table: str
    id: str
    lead_id: str | None
    title: str
    body: str


def _unindexed(reads: database.Reads, table: str) -> list[_Document]:
    return _documents(reads, table, "_rid IS NULL", ())


def _documents(
    reads: database.Reads, table: str, condition: str, params: Sequence[object]
) -> list[_Document]:
    said = documents.BY_TABLE[table]
    found = reads.each(
        f"SELECT '{table}', id, {said.lead_id}, {said.title}, {said.body} FROM {table} WHERE {condition}",  # noqa: S608
        params,
    )
    return [_Document(*row) for row in found]


_INDEX = "CREATE VIRTUAL TABLE search USING fts5 (title, body, tokenize = 'unicode61 remove_diacritics 2')"
_MARKED = (
    "SELECT rowid, snippet(search, -1, char(2), char(3), '…', 16) FROM search"
    " WHERE search MATCH ? ORDER BY bm25(search, 4.0, 1.0), rowid"
)


def _matching(wanted: str, some: Sequence[_Document]) -> list[Hit]:
    """Those that match, the best first, by SQLite's own rules: in an index of their own, in memory."""
    if not some:
        return []
    with closing(sqlite3.connect(":memory:")) as aside:
        aside.execute(_INDEX)
        lines = ((place, one.title, one.body) for place, one in enumerate(some))
        aside.executemany("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", lines)
        return [_hit(some[place], snippet) for place, snippet in aside.execute(_MARKED, (wanted,))]


def _hit(one: _Document, snippet: str) -> Hit:
    return Hit(table=one.table, id=one.id, lead_id=one.lead_id, title=one.title, snippet=snippet)


def _indexed(reads: database.Reads, wanted: str, chosen: Sequence[str], limit: int, offset: int) -> list[Hit]:
    sql = _sql(chosen, vague=_is_vague(reads, wanted))
    found = [(str(table), str(row_id)) for table, row_id in reads.each(sql, (wanted, limit, offset))]
    return _shown(reads, wanted, found)


def _sql(chosen: Sequence[str], *, vague: bool) -> str:
    """The rows whose lines match; a line that no row has any more joins nothing."""
    joins = " ".join(f"LEFT JOIN {name} ON {name}._rid = s.rowid" for name in chosen)
    ids = "coalesce(" + ", ".join(f"{name}.id" for name in chosen) + ", NULL)"
    names = " ".join(f"WHEN {name}.id IS NOT NULL THEN '{name}'" for name in chosen)
    leads_first = "leads.id IS NULL, " if "leads" in chosen else ""
    order = "s.rowid DESC" if vague else f"bm25(search, 4.0, 1.0), {leads_first}s.rowid DESC"
    return (
        f"SELECT CASE {names} END, {ids} FROM search AS s {joins}"  # noqa: S608 - fixed names
        f" WHERE search MATCH ? AND {ids} IS NOT NULL ORDER BY {order} LIMIT ? OFFSET ?"
    )


def _shown(reads: database.Reads, wanted: str, found: Iterable[tuple[str, str]]) -> list[Hit]:
    """The found rows with their words marked, in the order found."""
    order = list(found)
    by_table: dict[str, list[str]] = {}
    for table, row_id in order:
        by_table.setdefault(table, []).append(row_id)
    some = [one for table, row_ids in by_table.items() for one in _of_ids(reads, table, row_ids)]
    hits: Mapping[tuple[str, str], Hit] = {(hit.table, hit.id): hit for hit in _matching(wanted, some)}
    return [hits[key] for key in order if key in hits]


def _of_ids(reads: database.Reads, table: str, row_ids: Sequence[str]) -> list[_Document]:
    return _documents(reads, table, "id IN (SELECT value FROM json_each(?))", (rows.dumps(row_ids),))


_MANY = 3000


def _is_vague(reads: database.Reads, wanted: str) -> bool:
    """So many hits that ranking them all would take longer than a person waits (one typed letter)."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
    return int(reads.value(sql, (wanted, _MANY))) == _MANY
