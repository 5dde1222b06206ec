"""Structured logs without personal data: JSON lines, or colours on a terminal."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import structlog

_SECRET_NAMES = re.compile(
    r"pass(word|phrase)?|secret|token|authorization|cookie|e?-?mail|phone|address|transcript|body|text"
    r"|api_?key|ticket|signature|payload|(first|last|full|contact|lead|user)_?name",
    re.I,
)
_PATTERNS = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "token",
        re.compile(
            r"(?i:\bbearer\s+)\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<![\w/.-])(?:jbi_)?[A-Za-z0-9_-]{43}(?![\w/.-])"
        ),
    ),
    (
        "phone",
        re.compile(r"(?<![\w.-])(?:\+\d[\d .()-]{7,16}\d|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}|1?\d{10})(?![\w-])"),
    ),
    # What others put into the messages of their exceptions: PostgreSQL the row, pydantic the value.
    ("detail", re.compile(r"(?<=DETAIL:)[^\n]+|(?<=Failing row contains )\([^\n]*")),
    ("input", re.compile(r"(?<=input_value=).*?(?=, input_type=)")),
    ("url", re.compile(r"(?<=://)[^\s/@]+:[^\s/@]+(?=@)")),
)
_SAFE_NAMES = frozenset({"event", "level", "logger", "timestamp"})


def configure(level: str = "INFO", *, stream: TextIO | None = None, process: str = "") -> None:
    """Send every log of this process to `stream` (stderr), under its name; called once, by a main."""
    stream = stream or sys.stderr
    tty = stream.isatty()
    last = structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _named(process),
                structlog.processors.format_exc_info,
                Redactor(),
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.error", "uvicorn.access", "httpx", "asyncio", "apscheduler"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    # It tells of each try, with a traceback; that PostgreSQL is away our own loops say once.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


def _named(process: str) -> Callable[[Any, str, Any], Any]:
    """Where several processes write to one place, each line says which one it is of."""

    def add(logger: object, method: str, event: Any) -> Any:
        return {"process": process, **event} if process else event

    return add


class Redactor:
    """Masks what could be personal, under its name or by its looks; the same value gets the same mask all along."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def __call__(self, logger: object, method: str, event: Any) -> Any:
        return {name: self._value(str(name), value) for name, value in event.items()}

    def _value(self, name: str, value: object) -> object:
        if name not in _SAFE_NAMES and isinstance(value, str) and _SECRET_NAMES.search(name):
            return self._mask("hidden", value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {key: self._value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", inner) for inner in value]
        return value if isinstance(value, int | float | None) else self._text(str(value))

    def _text(self, text: str) -> str:
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda found, kind=kind: self._mask(kind, found.group()), text)  # type: ignore[misc]
        return text

    def _mask(self, kind: str, value: str) -> str:
        return f"<{kind}:{hashlib.blake2b(value.encode(errors='replace'), key=self._key, digest_size=4).hexdigest()}>"
