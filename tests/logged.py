"""What this process logs, as a server's log shows it."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

from backend import logs


@contextlib.contextmanager
def log(level: str) -> Iterator[io.StringIO]:
    """From this level on; afterwards logging is as it was."""
    root = logging.getLogger()
    before, was = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(level, stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(was)
