"""Each example of docs/sync.md, in order, at a real server over HTTP: what the page says is what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.storage import feed
from backend.stream import sequencer
from domain import ids
from tests.serving import LiveServer, Login, MakeUser

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parent.parent / "docs" / "sync.md"
NAME = re.compile(r"<([^<>]+)>")
ANYTHING = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request as the page writes it, and what it is answered."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    status: int
    answer_headers: Mapping[str, str]
    answer: Any


def examples() -> Iterator[Example]:
    blocks = re.findall(r"^```http\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for asked, answered in zip(blocks[::2], blocks[1::2], strict=True):
        first, *headers = asked.partition("\n\n")[0].strip().splitlines()
        method, path = first.split(" ", 1)
        status, *rest = answered.strip().splitlines()
        said = [line for line in rest if re.match(r"^[\w-]+: ", line)]
        told = "\n".join(line for line in rest if line not in said)
        yield Example(
            method=method,
            path=path,
            headers=dict(line.split(": ", 1) for line in headers),
            body=asked.partition("\n\n")[2],
            status=int(status),
            answer_headers=dict(line.split(": ", 1) for line in said),
            answer=json.loads(told) if told else None,
        )


@dataclass(slots=True)
class Known:
    """Values by the names that the page gives them."""

    values: dict[str, Any] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        return NAME.sub(lambda found: str(self.values[found[1]]), text)

    def compare(self, expected: Any, found: Any, where: str = "answer") -> None:
        """Raises: AssertionError naming the place that differs."""
        if expected == ANYTHING:
            return
        if isinstance(expected, str) and (name := NAME.fullmatch(expected)):
            assert self.values.setdefault(name[1], found) == found, where
        elif isinstance(expected, dict) and isinstance(found, dict):
            self._objects(expected, found, where)
        elif isinstance(expected, list) and isinstance(found, list):
            self._lists(expected, found, where)
        else:
            assert expected == found, where

    def _objects(self, expected: dict[str, Any], found: dict[str, Any], where: str) -> None:
        wanted = {self.filled(name): value for name, value in expected.items() if name != ANYTHING}
        assert wanted.keys() <= found.keys(), where
        assert ANYTHING in expected or wanted.keys() == found.keys(), where
        for name, value in wanted.items():
            self.compare(value, found[name], f"{where}.{name}")

    def _lists(self, expected: list[Any], found: list[Any], where: str) -> None:
        goes_on = bool(expected) and expected[-1] == ANYTHING
        wanted = expected[:-1] if goes_on else expected
        assert len(wanted) == len(found) or (goes_on and len(wanted) < len(found)), where
        for place, (one, other) in enumerate(zip(wanted, found, strict=False)):
            self.compare(one, other, f"{where}[{place}]")


async def run(http: httpx.AsyncClient, example: Example, known: Known) -> None:
    headers = {name: known.filled(value) for name, value in example.headers.items()}
    body = known.filled(example.body) or None
    answer = await http.request(example.method, known.filled(example.path), headers=headers, content=body)
    assert answer.status_code == example.status, (example, answer.text)
    for name, value in example.answer_headers.items():
        known.compare(value, answer.headers[name], name)
    known.compare(example.answer, answer.json() if answer.content else None)


async def test_each_example_is_answered_as_the_page_says(
    live_server: LiveServer, deps: Deps, make_user: MakeUser, login: Login
) -> None:
    phone = await login((await make_user("agent")).email)
    desk = await login((await make_user("manager")).email)
    known = Known(
        {
            "token": phone.access_token,
            "desk's token": desk.access_token,
            "location": phone.user["locations"][0]["id"],
            "device": ids.new_id(),
            "desk": ids.new_id(),
            "lead": ids.new_id(),
            "other lead": ids.new_id()[:-2] + "00",
        }
    )
    ran = 0
    async with httpx.AsyncClient(base_url=live_server.url, trust_env=False) as http:
        for example in examples():
            await numbered(deps)
            await run(http, example, known)
            ran += 1
    assert ran >= 12


async def numbered(deps: Deps) -> None:
    """What was written has its place in the feed."""
    async with deps.pool.acquire() as connection:
        while await feed.oldest_unstamped(connection) is not None:
            await sequencer.once(deps.pool, deps.hub)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "…": "…"}, {"b": 2}),
        ([1], [1, 2]),
        ([1, "…"], []),
        (["<x>", "<x>"], [1, 2]),
        (None, {}),
    ],
)
async def test_an_answer_that_differs_is_seen(expected: Any, found: Any) -> None:
    with pytest.raises(AssertionError):
        Known().compare(expected, found)
