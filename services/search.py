"""Full-text search over leads, notes, transcripts, tasks and what was said."""

from __future__ import annotations

from dataclasses import dataclass

from services.desk import Desk
from storage import leads, search, settings

_RECENT = "search.recent"
_KEPT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A found row; `snippet` marks the found words by U+0002 … U+0003, so that a screen can draw them bold."""

    table: str
    id: str
    lead_id: str
    lead_name: str
    title: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hits, best first."""

    words: str
    hits: tuple[Hit, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Finds what this device has, and remembers what was looked for."""

    desk: Desk

    def find(self, words: str, *, tables: tuple[str, ...] = (), limit: int = 30, offset: int = 0) -> Found:
        """`tables`: any of leads, notes, tasks, interactions; none = all. Nothing typed finds nothing."""
        hits = search.find(self.desk.db, words, tables=tables, limit=limit + 1, offset=offset)
        names = leads.names(self.desk.db, [hit.lead_id for hit in hits])
        return Found(
            words=words,
            hits=tuple(
                Hit(
                    table=hit.table,
                    id=hit.id,
                    lead_id=hit.lead_id or "",
                    lead_name=names.get(hit.lead_id or "", ""),
                    title=hit.title or names.get(hit.lead_id or "", ""),
                    snippet=hit.snippet,
                )
                for hit in hits[:limit]
            ),
            more=len(hits) > limit,
        )

    def recent(self) -> tuple[str, ...]:
        """What this person opened a hit of, the latest first."""
        return tuple(settings.get(self.desk.db, _RECENT, []))

    def remember(self, words: str) -> None:
        """Keeps words that led somewhere."""
        text = " ".join(words.split())
        if not text:
            return
        with self.desk.db.write_tx() as tx:
            settings.put(tx, _RECENT, list(dict.fromkeys([text, *self.recent()]))[:_KEPT])

    def forget(self) -> None:
        with self.desk.db.write_tx() as tx:
            settings.remove(tx, _RECENT)
