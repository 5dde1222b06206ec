"""Recordings become words on this device, one at a time, in the background, whenever a model is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain import errors, ports, tables
from services.desk import Desk
from services.notes import proposed
from services.notes.values import NoteState
from services.progress import Progress
from storage import blobs, lead_lists, notes

logger = logging.getLogger(__name__)
HOTWORDS = 30


@dataclass(slots=True)
class _Turn:
    """Whose turn it is, and why nobody's: changes while the app lives."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    blocked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """Takes notes that wait and have their sound here. `transcriber` None = the server will do it."""

    desk: Desk
    transcriber: ports.Transcriber | None
    progress: Progress
    turn: _Turn = field(default_factory=_Turn)

    @property
    def why_waiting(self) -> str:
        """Why notes wait here, in words; empty = they do not."""
        if self.transcriber is None:
            return "This device has no speech engine."
        return self.turn.blocked

    def nudge(self) -> None:
        """Try again: a model has arrived, or a note was sent back."""
        self.turn.blocked = ""
        self.turn.wake.set()

    async def run(self) -> None:
        """The loop: all that waits now, and then whatever comes. Cancel it to end."""
        unsubscribe = self.desk.db.subscribe(self._on_change)
        try:
            while True:
                self.turn.wake.clear()
                await self.run_once()
                await self.turn.wake.wait()
        finally:
            unsubscribe()

    async def run_once(self) -> int:
        """Transcribes what waits, the oldest first; how many are done now."""
        done = 0
        async with self.turn.lock:
            while (note := self._next()) is not None:
                if not await self._transcribe(note):
                    break
                done += 1
        return done

    def _on_change(self, touched: frozenset[str]) -> None:
        if tables.NOTES.name in touched:
            self.turn.wake.set()

    def _next(self) -> notes.Note | None:
        if self.transcriber is None or self.turn.blocked:
            return None
        waiting = notes.in_states(self.desk.db, [NoteState.WAITING.value])
        mine = (note for note in waiting if note.agent_id == self.desk.user.id)
        return next((note for note in mine if self._sound(note) is not None), None)

    def _sound(self, note: notes.Note) -> Path | None:
        blob = blobs.of_note(self.desk.db, note.id)
        return blob.path if blob is not None and blob.path.exists() else None

    async def _transcribe(self, note: notes.Note) -> bool:
        """False = no engine or model: stop until `nudge()`."""
        path = self._sound(note)
        assert path is not None
        self.progress.report(note.id, 0.0)
        try:
            heard = await self._listen(note.id, path)
        except (errors.NoEngineError, errors.NoModelError) as fault:
            logger.info("transcription.waits code=%s", fault.code)
            self.turn.blocked = str(fault)
            return False
        except errors.AudioError as fault:
            self._keep(note.id, {"state": NoteState.FAILED.value, "error": str(fault)})
            return True
        finally:
            self.progress.finish(note.id)
        self._keep(note.id, self._heard(heard))
        return True

    async def _listen(self, note_id: str, path: Path) -> ports.Transcript:
        loop = asyncio.get_running_loop()
        hotwords = self._hotwords()

        def report(part: float) -> None:
            loop.call_soon_threadsafe(self.progress.report, note_id, part)

        assert self.transcriber is not None
        transcriber = self.transcriber
        return await asyncio.to_thread(
            lambda: transcriber.transcribe(path, hotwords=hotwords, on_progress=report)
        )

    def _heard(self, heard: ports.Transcript) -> dict[str, object]:
        if not heard.heard_speech:
            return {"state": NoteState.NO_SPEECH.value, "engine": heard.engine, "error": None}
        found = proposed.read(self.desk, heard.text)
        return {
            "state": NoteState.TRANSCRIBED.value,
            "transcript": heard.text,
            "engine": heard.engine,
            "proposals": proposed.as_json(found),
            "error": None,
        }

    def _keep(self, note_id: str, changes: dict[str, object]) -> None:
        """A note that was discarded or transcribed elsewhere meanwhile is left alone."""
        now = notes.get(self.desk.db, note_id)
        if now is None or now.state != NoteState.WAITING.value:
            return
        with self.desk.action() as edit:
            edit.patch(tables.NOTES.name, note_id, changes)

    def _hotwords(self) -> Sequence[str]:
        """Names and streets of this agent's leads, the latest met first."""
        found = lead_lists.words_for_speech(self.desk.db, self.desk.user.id, limit=HOTWORDS)
        return list(dict.fromkeys(word for word in found if word))[:HOTWORDS]
