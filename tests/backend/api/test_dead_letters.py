"""/api/admin/dead-letters: seen with their reason, replayed once mended, removed only when named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from backend.services import dead_letters
from backend.stream import dead, entries
from domain import ids
from tests.backend.events import samples

pytestmark = pytest.mark.anyio

PATH = "/api/admin/dead-letters"
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sink runs beside these tests: nobody waits for it."""
    monkeypatch.setattr(dead_letters, "_WAIT", 0)


def letter(event: Any, *, reason: str = "unknown_location", **changed: Any) -> dead.Letter:
    payload = event if isinstance(event, bytes) else json.dumps(event).encode()
    base: dict[str, Any] = {
        "stream": "lead_interactions",
        "message": "It did not fit.",
        "source": 3,
        "at": NOW,
    }
    return dead.Letter(reason=reason, payload=payload, **base | changed)


@pytest.fixture
async def ask(client: httpx.AsyncClient, admin: dict[str, str]) -> Any:
    async def asked(method: str, path: str = "", body: Any = None) -> Any:
        answer = await client.request(method, PATH + path, json=body, headers=admin)
        return answer.json() if answer.status_code == 200 else answer.status_code

    return asked


async def reasons(deps: Deps) -> list[str]:
    return [one[b"reason"].decode() for one in await samples.lying(deps.valkey, entries.DEAD)]


async def test_they_are_listed_newest_first_with_reason_and_payload(deps: Deps, ask: Any) -> None:
    await dead.put(deps.valkey, [letter({"n": 1}), letter({"n": 2}, source=None, reason="schema")])

    page = await ask("GET")

    assert [json.loads(one["payload"])["n"] for one in page["letters"]] == [2, 1]
    first = page["letters"][1]
    assert (first["reason"], first["stream"], first["source"], first["cut"]) == (
        "unknown_location",
        "lead_interactions",
        3,
        False,
    )
    assert datetime.fromisoformat(first["at"]) == NOW
    assert (page["waiting"], page["dropped"], page["next"]) == (2, 0, None)


async def test_pages_follow_each_other_also_through_a_filter(deps: Deps, ask: Any) -> None:
    await dead.put(deps.valkey, [letter({"n": n}, reason="schema" if n % 2 else "clock") for n in range(9)])

    seen, before = [], ""
    while True:
        page = await ask("GET", f"?reason=schema&limit=2&before={before}")
        seen += [json.loads(one["payload"])["n"] for one in page["letters"]]
        before = page["next"]
        if not before:
            break

    assert seen == [7, 5, 3, 1]
    assert await ask("GET", "?stream=bot_performance") == {
        "letters": [],
        "next": None,
        "waiting": 9,
        "dropped": 0,
    }


async def test_a_mended_one_goes_again_with_its_source_and_is_gone(deps: Deps, ask: Any) -> None:
    event = samples.message()
    await dead.put(deps.valkey, [letter(event)])

    done = await ask("POST", "/replay", {"reason": "unknown_location"})

    assert done == {"sent": 1, "stored": False, "failed": {}, "more": False}
    (fields,) = await samples.lying(deps.valkey, "bi:stream:lead_interactions")
    assert fields[entries.SOURCE] == b"3"
    assert [one["event_id"] for one in await samples.queued(deps.valkey)] == [event["event_id"]]
    assert await deps.valkey.xlen(entries.DEAD) == 0


async def test_those_that_fail_again_stay_once_with_the_reason_of_now(deps: Deps, ask: Any) -> None:
    bad = letter(samples.message(temperature="boiling"))
    misplaced = letter(samples.turn())
    webhook = letter(b"{}", stream="gohighlevel")
    cut = letter(b'{"a": "' + b"x" * 20_000, reason="schema")
    await dead.put(deps.valkey, [bad, misplaced, webhook, cut, letter(samples.message())])

    await ask("POST", "/replay", {"all": True})
    before = (await ask("GET"))["letters"]
    done = await ask("POST", "/replay", {"all": True})

    assert done["sent"] == 0
    assert (await ask("GET"))["letters"] == before
    assert done["failed"] == {"schema": 3, "revoked": 1}
    assert sorted(await reasons(deps)) == ["revoked", "schema", "schema", "schema"]
    assert len(await samples.queued(deps.valkey)) == 1


async def test_only_the_chosen_ones_are_replayed_or_removed(deps: Deps, ask: Any) -> None:
    await dead.put(deps.valkey, [letter(samples.message()) for _ in range(3)])
    first, second, _ = [one["id"] for one in (await ask("GET"))["letters"]]

    assert (await ask("POST", "/replay", {"ids": [first, "1-1"]}))["sent"] == 1
    assert await ask("DELETE", "", {"ids": [second]}) == {"removed": 1}
    assert await deps.valkey.xlen(entries.DEAD) == 1


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"all": False}, {"ids": ["*"]}, {"reason": "a b"}])
async def test_no_mistake_means_everything(deps: Deps, ask: Any, body: dict[str, Any]) -> None:
    await dead.put(deps.valkey, [letter(samples.message())])

    assert await ask("DELETE", "", body) == 422
    assert await ask("POST", "/replay", body) == 422
    assert await deps.valkey.xlen(entries.DEAD) == 1


async def test_all_of_a_reason_may_be_more_than_one_call_takes(
    deps: Deps, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_AT_ONCE", 2)
    await dead.put(deps.valkey, [letter(samples.message(location_id=ids.new_id())) for _ in range(5)])

    assert [(await ask("POST", "/replay", {"all": True}))["more"] for _ in range(2)] == [True, True]
    assert await ask("DELETE", "", {"all": True}) == {"removed": 1}


async def test_what_age_or_number_pushes_out_is_counted(
    deps: Deps, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead, "MOST", 100)
    await dead.put(deps.valkey, [letter({"n": n}) for n in range(1_000)])

    page = await ask("GET")

    assert page["dropped"] > 0
    assert page["waiting"] + page["dropped"] == 1_000

    await dead.put(
        deps.valkey, [letter({}, at=datetime.now(UTC) + dead.LONGEST + timedelta(days=1)) for _ in range(2)]
    )
    page = await ask("GET")
    assert page["waiting"] + page["dropped"] == 1_002
    assert page["waiting"] <= 102


async def test_what_nobody_can_read_is_shown_as_well_as_it_can_be_and_stays(deps: Deps, ask: Any) -> None:
    await deps.valkey.xadd(
        entries.DEAD,
        {
            "stream": b"\xff",
            "reason": b"\xfe",
            "message": b"\xfd",
            "payload": b"[\xfc, 1",
            "source": b"x",
            "at": b"?",
        },
    )
    await deps.valkey.xadd(entries.DEAD, {"other": b"program"})

    shown = (await ask("GET"))["letters"]
    done = await ask("POST", "/replay", {"all": True})

    assert [(one["source"], one["payload"]) for one in shown] == [(None, ""), (None, "[\ufffd, 1")]
    assert (done["sent"], sum(done["failed"].values())) == (0, 2)
    assert len((await ask("GET"))["letters"]) == 2
