"""Settings and half-typed work of this person on this device; they never leave it."""

from __future__ import annotations

import json
from typing import Any

from storage import database, rows


def get(reads: database.Reads, key: str, default: Any = None) -> Any:
    """A JSON value."""
    found = reads.value("SELECT v FROM local_settings WHERE k = ?", (key,))
    return default if found is None else json.loads(found)


def put(tx: database.Transaction, key: str, value: Any) -> None:
    """`value` must be JSON."""
    tx.execute(
        "INSERT INTO local_settings (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
        (key, rows.dumps(value)),
    )
    tx.touch("local_settings")


def remove(tx: database.Transaction, key: str) -> None:
    tx.execute("DELETE FROM local_settings WHERE k = ?", (key,))
    tx.touch("local_settings")
