"""From stored notes to what lists show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain import tables
from services.desk import Desk
from services.notes.values import NoteItem, NoteState
from services.progress import Progress
from services.sync_words import SyncWord
from storage import blobs, leads, notes


def items(desk: Desk, progress: Progress, found: Sequence[notes.Note]) -> tuple[NoteItem, ...]:
    """Each with its lead's name, where its row and its sound are, and how far its transcription is."""
    names = leads.names(desk.db, [note.lead_id for note in found])
    words = desk.words(tables.NOTES.name)
    return tuple(_item(desk, note, names, words(note.id), progress.of(note.id)) for note in found)


def _item(
    desk: Desk, note: notes.Note, names: Mapping[str, str], word: SyncWord, progress: float | None
) -> NoteItem:
    blob = blobs.of_note(desk.db, note.id) if note.audio_sha256 else None
    return NoteItem(
        id=note.id,
        created_at=note.created_at,
        lead_id=note.lead_id or "",
        lead_name=names.get(note.lead_id or "", ""),
        state=_state(note.state),
        seconds=note.audio_seconds,
        size=note.audio_bytes,
        transcript=note.transcript or "",
        text=note.text or "",
        error=note.error or "",
        audio_path=blob.path if blob is not None and blob.path.exists() else None,
        sync=word,
        audio_sync=desk.sound_word(blob) if blob is not None else SyncWord.ON_SERVER,
        progress=progress,
    )


def _state(word: str) -> NoteState:
    """A word of a newer server is shown as waiting: somebody else is at work on it."""
    return NoteState(word) if word in set(NoteState) else NoteState.WAITING
