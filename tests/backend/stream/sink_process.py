"""A sink as a process of its own, to be killed: `python -m tests.backend.stream.sink_process` with DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import asyncio

from backend import deps, settings
from backend.stream import sink


async def main() -> None:
    async with deps.open_deps(settings.from_environment()) as opened:
        await sink.run(opened)


if __name__ == "__main__":
    asyncio.run(main())
