"""A sink as a process of its own, to be killed: `python -m tests.backend.stream.sink_process` with DATABASE_URL and REDIS_URL.

It ends with its standard input, and so with the test, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from backend import deps, settings
from backend.stream import sink


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


async def main() -> None:
    threading.Thread(target=_end_with_input, daemon=True).start()
    async with deps.open_deps(settings.from_environment()) as opened:
        await sink.run(opened)


if __name__ == "__main__":
    asyncio.run(main())
