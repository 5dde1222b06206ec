"""Voice notes: recorded or picked, safe on disk before anything else, listed, reviewed and saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from domain import errors, ids, ports, tables
from services.desk import Desk
from services.notes import audio_files, guess, limits, proposed, saving, shown
from services.notes.audio_files import AudioFile
from services.notes.values import (
    LeadGuess,
    NoteItem,
    NoteReview,
    NoteSaved,
    NoteState,
    ProposedChange,
)
from services.ports import CheckAudio, RepairAudio
from services.progress import Progress
from storage import blobs, doomed, edits, leads, notes, rows

__all__ = [
    "Capture",
    "LeadGuess",
    "NoteItem",
    "NoteReview",
    "NoteSaved",
    "NoteState",
    "Notes",
    "ProposedChange",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A recording under way."""

    note_id: str
    path: Path
    started_at: datetime
    lead_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """This person's voice notes. `recorder` None = no microphone: an audio file may still be picked."""

    desk: Desk
    recorder: ports.Recorder | None
    check_audio: CheckAudio
    progress: Progress
    repair: RepairAudio | None = None

    async def start(self, lead_id: str = "") -> Capture:
        """Sound is on disk from the first second. Raises: NoMicrophoneError, DiskFullError."""
        if self.recorder is None:
            raise errors.NoMicrophoneError(
                "This device has no microphone.", where="microphone", hint="Pick an audio file instead."
            )
        limits.check_room(self.desk.db.path.parent)
        note_id = ids.new_id(round(self.desk.now().timestamp() * 1000))
        path = audio_files.folder(self.desk.db.path) / f"{note_id}.wav"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.recorder.start(path)
        return Capture(note_id=note_id, path=path, started_at=self.desk.now(), lead_id=lead_id)

    def limit_reached(self, capture: Capture) -> str:
        """Why a recording must be stopped now, to be kept whole, in a sentence; empty = it may go on. Ask every second."""
        seconds = (self.desk.now() - capture.started_at).total_seconds()
        return limits.of(self.desk).reached(capture.path, seconds)

    def seconds_left(self, capture: Capture) -> float:
        """How long it may go on before it is stopped."""
        seconds = (self.desk.now() - capture.started_at).total_seconds()
        return limits.of(self.desk).left(capture.path, seconds)

    async def stop(self, capture: Capture) -> str:
        """Ends the recording and writes the note; its id. Raises: NoMicrophoneError, AudioError, StoreError."""
        assert self.recorder is not None
        recording = await self.recorder.stop()
        audio = await asyncio.to_thread(audio_files.measured, recording.path, recording.seconds)
        return self._write(capture.note_id, audio, capture.lead_id)

    async def cancel(self) -> None:
        """Ends the recording and forgets it."""
        if self.recorder is not None:
            await self.recorder.cancel()

    def level(self) -> float:
        """Loudness now, 0 to 1."""
        return self.recorder.level() if self.recorder is not None else 0.0

    async def attach(self, source: Path | bytes, name: str, lead_id: str = "") -> str:
        """A note from an audio file; its id. Its size is looked at, then it is copied, then checked.

        Raises: AudioError saying what is wrong with it (the original is untouched), DiskFullError, StoreError.
        """
        note_id = ids.new_id(round(self.desk.now().timestamp() * 1000))
        path = audio_files.folder(self.desk.db.path) / f"{note_id}{audio_files.suffix_of(name)}"
        limits.check_picked(source, name, self.desk)
        await asyncio.to_thread(audio_files.copy_in, source, path)
        try:
            seconds = await asyncio.to_thread(self._seconds, path)
            audio = await asyncio.to_thread(audio_files.measured, path, seconds)
            return self._write(note_id, audio, lead_id)
        except errors.JorgeError as fault:
            path.unlink(missing_ok=True)
            fault.where = Path(name).name
            raise

    async def recover(self, *, quiet_seconds: float = 0.0) -> tuple[str, ...]:
        """Recordings that a crash or a closed window left without a note become notes; their ids.

        A file that was written within `quiet_seconds` may still be growing, and is left for the next time.
        """
        doomed.sweep(self.desk.db)
        folder = audio_files.folder(self.desk.db.path)
        latest = self.desk.now().timestamp() - quiet_seconds
        orphans = [
            path
            for path in audio_files.recordings(folder)
            if notes.get(self.desk.db, path.stem) is None
            and blobs.of_note(self.desk.db, path.stem) is None  # its note left before it was sent
            and path.stat().st_size
            and (not quiet_seconds or path.stat().st_mtime < latest)
        ]
        for path in orphans:
            seconds, error = await asyncio.to_thread(self._repaired, path)
            audio = await asyncio.to_thread(audio_files.measured, path, seconds)
            self._write(path.stem, audio, "", error=error)
        return tuple(path.stem for path in orphans)

    def _repaired(self, path: Path) -> tuple[float | None, str]:
        """Seconds, and what is wrong where nothing could be saved: the file is kept all the same."""
        if self.repair is None:
            return None, ""
        try:
            return self.repair(path).seconds, ""
        except errors.AudioError as fault:
            return None, str(fault)

    def add_text(self, edit: edits.Edit, *, lead_id: str, text: str) -> str:
        """A typed note inside another action; its id."""
        note_id = ids.new_id(edit.edit_ms)
        row = {"state": NoteState.SAVED.value, "lead_id": lead_id or None, "text": text.strip()}
        edit.put(tables.NOTES.name, note_id, {**self._row(edit, lead_id), **row})
        return note_id

    def write_text(self, text: str, *, lead_id: str = "") -> str:
        """A typed note; its id. Raises: InputError."""
        if not text.strip():
            raise errors.InputError(
                "The note has no words.", where="notes.text", hint="Type something first."
            )
        with self.desk.action() as edit:
            return self.add_text(edit, lead_id=lead_id, text=text)

    def list(self, *, limit: int = 50) -> tuple[NoteItem, ...]:
        """This person's, newest first."""
        return self._items(notes.recent(self.desk.db, agent_id=self.desk.user.id, limit=limit))

    def of_lead(self, lead_id: str, *, limit: int = 20) -> tuple[NoteItem, ...]:
        """Newest first."""
        return self._items(notes.of_lead(self.desk.db, lead_id, limit=limit))

    def get(self, note_id: str) -> NoteItem:
        """Raises: NotFoundError."""
        return self._items([self._note(note_id)])[0]

    def delete(self, note_id: str) -> None:
        """Discards the note and its sound, here and on the server. Raises: NotFoundError."""
        blob = blobs.of_note(self.desk.db, note_id)
        with self.desk.action() as edit:
            edit.delete(tables.NOTES.name, note_id)
            blobs.forget(edit.tx, note_id)
            doomed.add(edit.tx, [blob.path] if blob else [])
        doomed.sweep(self.desk.db)

    def retry(self, note_id: str) -> None:
        """Transcribe it again. Raises: NotFoundError."""
        with self.desk.action() as edit:
            edit.patch(tables.NOTES.name, note_id, {"state": NoteState.WAITING.value, "error": None})

    def write_transcript(self, note_id: str, transcript: str) -> None:
        """The person corrected the words: they are read anew. Raises: NotFoundError."""
        found = proposed.read(self.desk, transcript)
        with self.desk.action() as edit:
            edit.patch(
                tables.NOTES.name,
                note_id,
                {
                    "transcript": transcript.strip(),
                    "proposals": proposed.as_json(found),
                    "state": NoteState.TRANSCRIBED.value,
                    "error": None,
                },
            )

    def review(self, note_id: str, *, lead_id: str | None = None) -> NoteReview:
        """What the words propose, against the chosen lead or, without one, a sure guess. Raises: NotFoundError."""
        note = self._note(note_id)
        found = proposed.of_note(self.desk, note)
        guesses = guess.leads_of(self.desk, note, found)
        sure = next((item.lead_id for item in guesses if item.sure), "")
        chosen = lead_id if lead_id is not None else sure
        row = rows.get(self.desk.db, tables.LEADS, chosen) if chosen else None
        best = next((item for item in guesses if item.lead_id == chosen), None)
        if best is None and row is not None:
            best = LeadGuess(lead_id=chosen, name=row[1]["name"], why="chosen by you")
        return NoteReview(
            note=self._items([note])[0],
            transcript=note.transcript or "",
            engine=note.engine or "",
            proposals=proposed.changes(found, row[1] if row else {}),
            guess=best,
            alternatives=tuple(item for item in guesses if item.lead_id != chosen)[: 2 if best else 3],
        )

    def save(
        self,
        note_id: str,
        chosen: Sequence[str],
        lead_id: str = "",
        *,
        corrected: Mapping[str, Any] | None = None,
    ) -> NoteSaved:
        """Applies the chosen proposals (by id, `corrected` values first) in one transaction.

        Raises: NotFoundError, InputError, RuleError (a change needs a lead); nothing is changed then.
        """
        note = self._note(note_id)
        found = {item.field.value: item for item in proposed.of_note(self.desk, note)}
        wanted = {name: found[name].value for name in chosen if name in found} | dict(corrected or {})
        return saving.save(self.desk, note, wanted, lead_id or note.lead_id or "")

    def _seconds(self, path: Path) -> float | None:
        try:
            return self.check_audio(path)
        except errors.NoEngineError:
            return None

    def _write(self, note_id: str, audio: AudioFile, lead_id: str, *, error: str = "") -> str:
        """Row, outbox line and upload in one transaction; the file is on disk already."""
        with self.desk.action() as edit:
            row = self._row(edit, lead_id)
            edit.put(
                tables.NOTES.name,
                note_id,
                {
                    **row,
                    "lead_id": lead_id or None,
                    "state": (NoteState.FAILED if error else NoteState.WAITING).value,
                    "error": error or None,
                    "audio_sha256": audio.sha256,
                    "audio_bytes": audio.size,
                    "audio_seconds": audio.seconds,
                    "audio_type": audio.media_type,
                },
            )
            blobs.add(
                edit.tx,
                note_id=note_id,
                location_id=row["location_id"],
                path=audio.path,
                sha256=audio.sha256,
                size=audio.size,
                media_type=audio.media_type,
            )
        return note_id

    def _row(self, edit: edits.Edit, lead_id: str) -> dict[str, str]:
        lead = leads.get(edit.tx, lead_id) if lead_id else None
        location_id = lead.location_id if lead else self.desk.home_location()
        return {"location_id": location_id, "agent_id": self.desk.user.id}

    def _note(self, note_id: str) -> notes.Note:
        found = notes.get(self.desk.db, note_id)
        if found is None:
            raise errors.NotFoundError(
                "This note is not on this device (any more).", where=f"notes {note_id}"
            )
        return found

    def _items(self, found: Sequence[notes.Note]) -> tuple[NoteItem, ...]:
        return shown.items(self.desk, self.progress, found)
