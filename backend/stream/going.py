"""Whether a loop shall go on."""

from __future__ import annotations

import asyncio


def going() -> bool:
    """False once this task was cancelled, even where a library lost the exception on its way (seen under load with redis-py)."""
    task = asyncio.current_task()
    return task is None or not task.cancelling()
