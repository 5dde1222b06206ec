"""The JSON Schemas of the events (draft 2020-12), made from the structs that check them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.events import kinds

VERSION = f"v{kinds.VERSION}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PATH = "/api/events/schemas"


def schema(stream: str) -> Mapping[str, Any]:
    """Of one event of `stream`, by itself. Raises: KeyError."""
    return {"$schema": DIALECT, "$id": f"{PATH}/{stream}/{VERSION}", **inner(stream)}


def inner(stream: str) -> Mapping[str, Any]:
    """The same for use inside another document. Raises: KeyError."""
    kind = kinds.STREAMS[stream]
    whole = msgspec.json.schema(kind)
    body = dict(whole["$defs"][kind.__name__])
    body["required"] = [name for name in body["required"] if name != "stream"]
    body["properties"]["stream"]["description"] = "May be left out: `event_type` names it."
    body["properties"]["props"]["description"] = (
        "What else you want to keep: at most 4 KB, nested 5 levels deep."
    )
    return body


def listed() -> Mapping[str, str]:
    """Stream → address of its schema."""
    return {name: f"{PATH}/{name}/{VERSION}" for name in kinds.STREAMS}
