"""The floor under a first pull: httpx GET of the same pages, json.loads, executemany into a table with no index, search or checks."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks import _device
from domain import ids, wire


async def cpu_of(device: _device.Device, path: Path) -> float:
    """Seconds of this process."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    headers = {
        "Authorization": f"Bearer {device.line.tokens.access_token()}",
        wire.PROTOCOL_HEADER: str(wire.PROTOCOL),
        wire.DEVICE_HEADER: ids.new_id(),
    }
    begun, cursor, more = time.process_time(), "", True
    async with httpx.AsyncClient(base_url=device.wire.url, headers=headers, trust_env=False) as http:
        while more:
            asked = {"cursor": cursor, "limit": str(wire.MAX_PAGE)}
            answer = await http.get("/api/sync/pull", params=asked)
            page = json.loads(answer.raise_for_status().content)
            _insert(connection, page)
            cursor, more = page["cursor"], page.get("more", False)
    spent = time.process_time() - begun
    connection.close()
    return spent


def _insert(connection: sqlite3.Connection, page: dict[str, Any]) -> None:
    """All rows of a page in one transaction; JSON values as they are written."""
    with connection:
        for block in page.get("blocks", ()):
            names = ", ".join(f'"{name}"' for name in block["columns"])
            connection.execute(f"CREATE TABLE IF NOT EXISTS {block['table']} ({names}, UNIQUE (id))")
            marks = ", ".join("?" * len(block["columns"]))
            plain = [[_plain(value) for value in row] for row in block["rows"]]
            sql = f"INSERT OR REPLACE INTO {block['table']} VALUES ({marks})"  # noqa: S608 - our server's names
            connection.executemany(sql, plain)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
