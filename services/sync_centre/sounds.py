"""What a person does with a recording that the server does not take: again, a copy to keep, or away with it."""

from __future__ import annotations

import asyncio

from domain import errors, ids
from services.desk import Desk
from services.sync_centre.items import time_of
from storage import blobs, database, doomed


def again(desk: Desk, blob_id: str) -> None:
    """Sent anew from the start."""
    with desk.db.write_tx() as tx:
        blobs.again(tx, blob_id)


async def copy(desk: Desk, blob_id: str) -> tuple[str, bytes]:
    """A name for it, and its bytes. Raises: NotFoundError, StoreError."""
    blob = _unsent(desk.db, blob_id)
    try:
        content = await asyncio.to_thread(blob.path.read_bytes)
    except OSError as fault:
        raise errors.StoreError(
            "The recording can't be read.", where=blob.path.name, hint="It may be gone from this device."
        ) from fault
    return f"jorge-recording-{time_of(ids.made_ms(blob.id)):%Y%m%d-%H%M%S}{blob.path.suffix}", content


def discard(desk: Desk, blob_id: str) -> None:
    """It is not sent, and leaves this device. Raises: NotFoundError."""
    with desk.db.write_tx() as tx:
        blob = _unsent(tx, blob_id)
        blobs.forget(tx, blob.note_id)
        doomed.add(tx, [blob.path])
    doomed.sweep(desk.db)


def _unsent(reads: database.Reads, blob_id: str) -> blobs.Blob:
    found = blobs.unsent_one(reads, blob_id)
    if found is None:
        raise errors.NotFoundError(
            "This recording does not wait here (any more).", where="sync", hint="Look at the list again."
        )
    return found
