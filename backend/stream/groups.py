"""Reading a stream as one of a group: groups that are not there yet, and what redis-py answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from redis import asyncio as redis
from redis import exceptions as redis_errors

Entry: TypeAlias = tuple[bytes, Mapping[bytes, bytes] | None]
Part: TypeAlias = tuple[str, Sequence[Entry]]
Read: TypeAlias = Sequence[Part]
"""Stream name → its entries, as they were read; an entry that was trimmed away before has no fields."""


async def make(valkey: redis.Redis, stream: str, group: str) -> bool:
    """From the stream's first entry, so that what was added before there was a group is read as well. True: there was none."""
    try:
        await valkey.xgroup_create(stream, group, id="0", mkstream=True)
    except redis_errors.ResponseError as fault:
        if "BUSYGROUP" not in str(fault):
            raise
        return False
    return True


def lacks(fault: redis_errors.ResponseError) -> bool:
    """Whether it says that there is no such group: a Valkey that was started empty has none."""
    return "NOGROUP" in str(fault)


def read(answer: Any) -> list[Part]:
    """Both shapes in which redis-py gives streams: a list of pairs, or a dict of lists of pages (RESP3)."""
    if not answer:
        return []
    if isinstance(answer, Mapping):
        answer = [(name, [entry for page in pages for entry in page]) for name, pages in answer.items()]
    return [(name.decode(), found) for name, found in answer if found]
