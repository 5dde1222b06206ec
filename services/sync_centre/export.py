"""Unsent work and sync's diary as JSON files that a person can keep or send to support."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from domain import errors, values, wire
from services.desk import Desk
from storage import blobs, cursor, events, outbox


def everything(desk: Desk) -> dict[str, Any]:
    """All that waits, and the diary. The changes are whole, so that nothing is lost with the device's database."""
    return {
        **_head(desk, "unsent work of one person on one device, and the log of its sync"),
        "changes": _changes(outbox.listed(desk.db, limit=100_000)),
        "recordings": [_recording(blob) for blob in blobs.unsent(desk.db)],
        "diary": _diary(desk),
    }


def one(desk: Desk, lines: Iterable[outbox.Line]) -> dict[str, Any]:
    """One action alone."""
    return {**_head(desk, "one unsent action of one person on one device"), "changes": _changes(lines)}


def log(desk: Desk) -> dict[str, Any]:
    """The diary alone: names and numbers, no contents."""
    return {**_head(desk, "the log of sync on one device; it holds no contents"), "diary": _diary(desk)}


def _head(desk: Desk, what: str) -> dict[str, Any]:
    device, status = cursor.device(desk.db), desk.sync.status()
    return {
        "what": f"Jorge BI: {what}",
        "protocol": wire.PROTOCOL,
        "exported_at": values.time_text(desk.now()),
        "user_id": desk.user.id,
        "device_id": device.id,
        "epoch": device.epoch,
        "clock_offset_ms": cursor.clock(desk.db).offset_ms,
        "last_contact_at": values.time_text(status.last_contact_at) if status.last_contact_at else None,
    }


def _changes(lines: Iterable[outbox.Line]) -> list[dict[str, Any]]:
    return [
        {
            **line.mutation.as_json(),
            "state": line.state.value,
            "attempts": line.attempts,
            "code": line.code,
            "message": line.message,
        }
        for line in lines
    ]


def _recording(blob: blobs.Blob) -> dict[str, Any]:
    return {
        "note_id": blob.note_id,
        "file": str(blob.path),
        "sha256": blob.sha256,
        "size": blob.size,
        "sent": blob.sent,
        "state": blob.state.value,
        "error": blob.error,
    }


def _diary(desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "at": values.time_text(event.at),
            "level": event.level,
            "event": event.event,
            "detail": dict(event.detail),
        }
        for event in events.recent(desk.db, limit=events.KEPT)
    ]


def name(what: str, now: datetime) -> str:
    """`what`: one word."""
    return f"jorge-{what}-{now:%Y%m%d-%H%M%S}.json"


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def write(path: Path, content: bytes) -> Path:
    """Readable by this account alone. Raises: StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as fault:
        raise errors.StoreError(
            "The export can't be written.",
            where=str(path),
            hint="Choose another folder, or free some space; nothing was changed.",
        ) from fault
    return path
