"""docs/live.md and docs/live.schema.json say what the server does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from backend.realtime import channels, messages
from tests.backend.realtime.talking import heard, opened, say
from tests.serving import LiveServer, SignedIn

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "live.md").read_text()
EXAMPLES = [
    line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def fits(side: str, message: Any) -> bool:
    schema = messages.schema()
    return jsonschema_rs.validator_for(schema | {"$ref": f"#/$defs/{side}"}).is_valid(message)


def test_the_published_schema_is_the_one_in_force() -> None:
    assert json.loads((DOCS / "live.schema.json").read_text()) == messages.schema()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda line: line[:40])
def test_every_example_on_the_page_fits_the_schema(example: str) -> None:
    message = json.loads(example)
    assert fits("ClientMessage", message) or fits("ServerMessage", message)


@pytest.mark.parametrize(
    "bad", [[], {"type": "dance"}, {"type": "ack", "channel": "dashboard", "offset": -1}]
)
def test_what_is_no_message_does_not_fit(bad: Any) -> None:
    assert not fits("ServerMessage", bad)
    assert not fits("ClientMessage", bad)


def test_the_page_lists_every_channel_with_its_timeframes_and_priority() -> None:
    for kind in channels.KINDS.values():
        (row,) = re.findall(rf"^\| `{kind.name}` \| .*", PAGE, re.MULTILINE)
        assert all(timeframe in row for timeframe in kind.timeframes)
        assert kind.priority.name.lower() in row or kind.name == "alerts"


@pytest.mark.anyio
async def test_what_the_server_says_fits_the_schema(live_server: LiveServer, boss: SignedIn) -> None:
    async with opened(live_server, "/ws/business-intelligence/all", boss.headers) as socket:
        said = [await heard(socket) for _ in channels.KINDS]
        for message in (
            {"type": "heartbeat"},
            {"type": "nonsense"},
            {"type": "resume", "channel": "dashboard", "epoch": "x", "offset": 1},
            {"type": "unsubscribe_channel", "channel": "alerts"},
        ):
            await say(socket, **message)
            said.append(await heard(socket))

    assert all(fits("ServerMessage", message) for message in said)
    assert {message["type"] for message in said} == {"snapshot", "heartbeat_ack", "error", "unsubscribed"}
