"""Each question as an HTTP request, and each HTTP answer as a message or an error: pure, byte for byte.

The httpx shell (sync/remote.py) and the simulation both speak through this.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from domain import wire
from sync import answers
from sync.effects import Ask
from sync.files import Offer, Offset, Part, Reached

PUSH, PULL = "/api/sync/push", "/api/sync/pull"
DIGESTS, ROWS = "/api/sync/digests", "/api/sync/rows"
UPLOADS = "/api/uploads"

_TUS = {"Tus-Resumable": "1.0.0"}
_WORTH_COMPRESSING = 400
_LEVEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """`params` go into the address; the shell adds the token."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def request_of(ask: Ask, *, part: bytes = b"") -> HttpRequest:
    """`part`: the bytes of a `Part`, which the shell has read."""
    match ask:
        case wire.Push():
            return _push(ask)
        case wire.PullAsk():
            return _pull(ask)
        case wire.DigestAsk() | wire.RowsAsk():
            return _compare(ask)
        case Offer():
            headers = {**_TUS, "Upload-Length": str(ask.size), "Upload-Metadata": ask.metadata}
            return HttpRequest(method="POST", path=UPLOADS, headers=headers)
        case Offset():
            return HttpRequest(method="HEAD", path=ask.url, headers=_TUS)
        case Part():
            return HttpRequest(method="PATCH", path=ask.url, headers=_part_headers(ask, part), body=part)


def message_of(ask: Ask, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """The answer to `ask`; `headers` with names in lower case, `body` unpacked.

    Raises: NotOurServerError for what no Jorge server says; else what `answers.check` raises.
    """
    answers.check(status, headers, body)
    match ask:
        case wire.Push():
            return _read(wire.PushAnswer.from_json, headers, body)
        case wire.PullAsk():
            return _nothing_new(ask, headers) if status == 204 else _read(_page, headers, body)
        case wire.DigestAsk():
            return _read(wire.Digests.from_json, headers, body)
        case wire.RowsAsk():
            return _read(lambda found: _checked_rows(wire.RangeRows.from_json(found)), headers, body)
        case Offer():
            most = headers.get("tus-max-size", "")
            sent = int(headers.get("upload-offset", "0"))
            return Reached(url=_location(headers), sent=sent, most=int(most) if most.isdigit() else 0)
        case Offset() | Part():
            return Reached(url=ask.url, sent=_said_offset(headers))


def _push(ask: wire.Push) -> HttpRequest:
    body = json.dumps(ask.as_json(), separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if len(body) >= _WORTH_COMPRESSING:
        headers["Content-Encoding"], body = _packed(body)
    return HttpRequest(method="POST", path=PUSH, headers=headers, body=body)


def _packed(body: bytes) -> tuple[str, bytes]:
    try:
        import zstandard
    except ImportError:  # no wheel for this platform
        return "gzip", gzip.compress(body, 6, mtime=0)
    return "zstd", zstandard.ZstdCompressor(level=_LEVEL).compress(body)


def _pull(ask: wire.PullAsk) -> HttpRequest:
    headers = {}
    if ask.device_id:
        headers[wire.DEVICE_HEADER] = ask.device_id
    if ask.pending or ask.parked:
        headers[wire.QUEUE_HEADER] = f"{ask.pending},{ask.parked},{ask.oldest_ms}"
    limit = "" if ask.limit == wire.PAGE else str(ask.limit)
    whole = "" if ask.changes else "1"
    return _get(PULL, {"cursor": ask.cursor, "limit": limit, "scope": ask.scope, "whole": whole}, headers)


def _compare(ask: wire.DigestAsk | wire.RowsAsk) -> HttpRequest:
    if isinstance(ask, wire.RowsAsk):
        ranges = ",".join(f"{one:02x}" for one in ask.ranges)
        return _get(ROWS, {"scope": ask.scope, "table": ask.table, "ranges": ranges})
    return _get(DIGESTS, {"content": "1" if ask.content else "", "scope": ask.scope, "table": ask.table})


def _get(path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None) -> HttpRequest:
    said = {name: value for name, value in params.items() if value}
    return HttpRequest(method="GET", path=path, params=said, headers=headers or {})


def _part_headers(ask: Part, part: bytes) -> Mapping[str, str]:
    return {
        **_TUS,
        "Upload-Offset": str(ask.start),
        "Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(part).digest()).decode()}",
        "Content-Type": "application/offset+octet-stream",
    }


def _read(
    make: Callable[[Mapping[str, Any]], Any], headers: Mapping[str, str], body: bytes
) -> wire.PushAnswer | wire.Page | wire.Digests | wire.RangeRows:
    found = answers.sync_json(headers, body)
    try:
        message: wire.PushAnswer | wire.Page | wire.Digests | wire.RangeRows = make(found)
        return message
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise answers.not_ours("no answer to what was asked") from fault


def _page(found: Mapping[str, Any]) -> wire.Page:
    return checked_page(wire.Page.from_json(found))


def checked_page(page: wire.Page) -> wire.Page:
    """Each row has an id, a version and a value for each column. Raises: TypeError, ValueError."""
    for block in page.blocks:
        checked(block)
    return page


def checked(block: wire.Block) -> None:
    """Raises: TypeError, ValueError."""
    width = len(block.columns) + (0 if tuple(block.columns[:2]) == ("id", "ver") else 2)
    for row in block.rows:
        if len(row) != width or not isinstance(row[0], str) or not isinstance(row[1], int):
            raise ValueError(f"a row of {block.table} does not fit its header")


def _checked_rows(found: wire.RangeRows) -> wire.RangeRows:
    checked(found.block)
    return found


def _nothing_new(ask: wire.PullAsk, headers: Mapping[str, str]) -> wire.Page:
    """The cursor stays. Raises: NotOurServerError for an empty answer of somebody else (some sign-in pages give one)."""
    said = headers.get(wire.TIME_HEADER.lower(), "")
    if not (said.isdecimal() and ask.cursor):
        raise answers.not_ours("an empty answer")
    return wire.Page(cursor=ask.cursor, more=False, blocks=(), removed=(), server_ms=int(said))


def _said_offset(headers: Mapping[str, str]) -> int:
    try:
        return int(headers["upload-offset"])
    except (KeyError, ValueError) as fault:
        raise answers.not_ours("no Upload-Offset") from fault


def _location(headers: Mapping[str, str]) -> str:
    path = urlsplit(headers.get("location", "")).path
    if not path.startswith(UPLOADS):
        raise answers.not_ours("no Location")
    return path
