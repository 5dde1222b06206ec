"""docs/events.md: every field is there, and every example is taken as it stands."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backend.deps import Deps
from backend.events import STREAMS, kinds, schemas
from backend.services import sources
from domain import ids
from tests.backend.api.conftest import Bot, bot, office

__all__ = ["bot", "office"]

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()


def section(stream: str) -> str:
    found = re.search(rf"### {stream}\n(.*?)(?=\n##)", PAGE, re.DOTALL)
    assert found, stream
    return found.group(1)


def examples(location: str) -> list[Any]:
    """The page's JSON, its {{words}} filled in."""
    found = []
    for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL):
        filled = text.replace("{{location}}", location).replace("{{now}}", datetime.now(UTC).isoformat())
        found.append(json.loads(re.sub(r"\{\{uuid\}\}", lambda _: ids.new_id(), filled)))
    return found


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_and_every_event_type_stands_in_the_page(stream: str) -> None:
    text = section(stream)
    common = PAGE.partition("Every event has:")[2].partition("###")[0]

    fields = [one.encode_name for one in msgspec.structs.fields(STREAMS[stream])]
    assert [name for name in fields if f"`{name}`" not in text + common] == []
    types = schemas.schema(stream)["properties"]["event_type"]["enum"]
    assert [word for word in types if word not in text + common] == []


def test_the_codes_of_the_page_are_those_of_the_code() -> None:
    folder = Path(kinds.__file__).parent
    code = (folder / "reading.py").read_text() + (folder.parent / "services" / "events.py").read_text()

    said = set(
        re.findall(r"^\| `(\w+)` \| ", PAGE.partition("Codes:")[2].partition("## The four")[0], re.MULTILINE)
    )
    assert said == set(re.findall(r'code="(\w+)"', code))


@pytest.mark.anyio
async def test_every_example_is_taken(bot: Bot, deps: Deps) -> None:
    *events, table = examples(bot.location)

    answer = await bot.send(*events)
    await sources.configure(deps, bot.source.id, table["config"])

    assert answer.json() == {"accepted": 4, "stored": False, "rejected": []}
