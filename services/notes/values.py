"""Voice notes as screens show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from services import sync_words


class NoteState(StrEnum):
    """Stored in `notes.state`, shared with the server."""

    WAITING = "waiting"  # recorded, not transcribed yet
    TRANSCRIBED = "transcribed"  # ready for review
    NO_SPEECH = "no_speech"
    FAILED = "failed"  # the audio can't be read; it is kept
    SAVED = "saved"  # reviewed


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteItem:
    """A voice note in a list. `progress` is there while this device transcribes it."""

    id: str
    created_at: datetime
    lead_id: str
    lead_name: str
    state: NoteState
    seconds: float | None
    size: int | None
    transcript: str
    text: str
    error: str
    audio_path: Path | None
    sync: sync_words.SyncWord
    audio_sync: sync_words.SyncWord
    progress: float | None = None

    @property
    def whole(self) -> sync_words.SyncWord:
        """Words and sound together."""
        return sync_words.furthest_behind(self.sync, self.audio_sync)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedChange:
    """One change that the words suggest: old → new with the words it came from. `id` is what `save` takes."""

    id: str
    field: str
    label: str
    old: Any
    new: Any
    display: str
    words: str
    confidence: float
    checked: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadGuess:
    """A lead that the note may be about, and why. Only a `sure` one is taken without being asked for."""

    lead_id: str
    name: str
    why: str
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReview:
    """What a person checks before anything is saved."""

    note: NoteItem
    transcript: str
    engine: str
    proposals: tuple[ProposedChange, ...]
    guess: LeadGuess | None
    alternatives: tuple[LeadGuess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSaved:
    """What saving a review did."""

    lead_id: str
    changed: Mapping[str, Any]
    task_id: str = ""
    opted_out: bool = False
