"""Full-text search over leads, notes and transcripts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A found row; `snippet` marks the words with \\x02 … \\x03, so that a screen can draw them bold."""

    table: str
    id: str
    lead_id: str
    title: str
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hits, best first."""

    words: str
    hits: tuple[Hit, ...]
    more: bool
