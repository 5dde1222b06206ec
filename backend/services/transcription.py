"""Notes from devices without a speech engine: their recordings become text here, once the audio has arrived."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backend.services import uploads as received
from backend.storage import jobs, pool, rows, uploads
from domain import errors, ports, tables

if TYPE_CHECKING:
    from backend.deps import Deps

logger = logging.getLogger(__name__)

_NO_NOTE_YET = timedelta(minutes=2)
_TRY_AGAIN = timedelta(minutes=5)
_NO_ENGINE = timedelta(hours=1)


async def next_job(deps: Deps, engine: ports.Transcriber) -> bool:
    """Do one job, if one is due; was there one?"""
    async with deps.pool.acquire() as connection:
        job = await jobs.take(connection, received.TRANSCRIBE)
        if job is None:
            return False
        note = await rows.get(connection, tables.NOTES, job.key)
        audio = await _audio(deps, connection, note) if note else None
        if note is None or audio is None or not _waits(note):
            await _put_off_or_drop(connection, job, note)
            return True
        hotwords = await _hotwords(connection, note)
    try:
        heard = await asyncio.to_thread(engine.transcribe, audio, hotwords=hotwords)
    except errors.SpeechError as fault:
        await _failed(deps, job, note, fault)
        return True
    await _write(
        deps,
        job,
        note,
        {"transcript": heard.text, "state": "transcribed", "engine": heard.engine, "error": None}
        if heard.heard_speech
        else {"state": "no_speech", "engine": heard.engine, "error": None},
    )
    return True


def _waits(note: rows.Stored) -> bool:
    """A device may have been quicker, or a person has typed the words, or the note is gone."""
    return not note.deleted and note.values["state"] == "waiting" and not note.values["transcript"]


async def _audio(deps: Deps, connection: pool.Connection, note: rows.Stored) -> Path | None:
    upload = await uploads.finished(connection, location_ids=[note.scope], note_id=note.id)
    return received.path_of(deps, upload) if upload else None


async def _put_off_or_drop(connection: pool.Connection, job: jobs.Job, note: rows.Stored | None) -> None:
    if note is None:  # the file was quicker than the row
        await jobs.later(connection, job, error="no note yet", wait=_NO_NOTE_YET * job.attempts)
    else:
        await jobs.done(connection, job)


async def _hotwords(connection: pool.Connection, note: rows.Stored) -> list[str]:
    """Names that are likely to be said: the lead's, and its street and town."""
    lead_id = note.values["lead_id"]
    lead = await rows.get(connection, tables.LEADS, lead_id) if lead_id else None
    if lead is None or lead.scope != note.scope:
        return []
    return [str(lead.values[name]) for name in ("name", "address", "city") if lead.values[name]]


async def _failed(deps: Deps, job: jobs.Job, note: rows.Stored, fault: errors.SpeechError) -> None:
    logger.warning("transcription.failed", extra={"code": fault.code})
    if isinstance(fault, errors.AudioError):  # the same audio will not get better
        await _write(deps, job, note, {"state": "failed", "error": fault.message})
        return
    missing = isinstance(fault, errors.NoEngineError | errors.NoModelError)
    async with deps.pool.acquire() as connection:
        await jobs.later(connection, job, error=fault.code, wait=_NO_ENGINE if missing else _TRY_AGAIN)


async def _write(deps: Deps, job: jobs.Job, note: rows.Stored, values: dict[str, object]) -> None:
    """Into the note, unless it got a transcript meanwhile; the feed brings it to the devices."""
    now_ms = int(deps.clock.now().timestamp() * 1000)
    async with pool.transaction(deps.pool) as connection:
        held = await rows.lock(connection, {("notes", note.id)})
        current = held.get(("notes", note.id))
        if current is not None and _waits(current):
            await rows.update(connection, current, values, edit_ms=now_ms)
        await jobs.done(connection, job)
    deps.hub.nudge()
