"""All unsent work and sync's diary as one JSON file that a person can keep or send to support."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from domain import errors, values, wire
from services.desk import Desk
from storage import blobs, cursor, events, outbox


def content(desk: Desk) -> dict[str, Any]:
    """What is written. The changes are whole, so that nothing is lost with the device's database."""
    device = cursor.device(desk.db)
    return {
        "what": "Jorge BI: unsent work of one person on one device",
        "protocol": wire.PROTOCOL,
        "exported_at": values.time_text(desk.now()),
        "user_id": desk.user.id,
        "device_id": device.id,
        "epoch": device.epoch,
        "changes": [
            {
                **line.mutation.as_json(),
                "state": line.state.value,
                "attempts": line.attempts,
                "code": line.code,
                "message": line.message,
            }
            for line in outbox.listed(desk.db, limit=100_000)
        ],
        "recordings": [
            {
                "note_id": blob.note_id,
                "file": str(blob.path),
                "sha256": blob.sha256,
                "size": blob.size,
                "sent": blob.sent,
                "state": blob.state.value,
                "error": blob.error,
            }
            for blob in blobs.unsent(desk.db)
        ],
        "diary": [
            {
                "at": values.time_text(event.at),
                "level": event.level,
                "event": event.event,
                "detail": dict(event.detail),
            }
            for event in events.recent(desk.db, limit=events.KEPT)
        ],
    }


def name(now: datetime) -> str:
    return f"jorge-unsent-{now:%Y%m%d-%H%M%S}.json"


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def write(folder: Path, body: dict[str, Any], now: datetime) -> Path:
    """Raises: StoreError."""
    path = folder / name(now)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encoded(body))
    except OSError as fault:
        raise errors.StoreError(
            "The export can't be written.",
            where=str(path),
            hint="Choose another folder, or free some space; nothing was changed.",
        ) from fault
    return path
