"""The engine and servers that misbehave: somebody else's answers, by script; the store is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from domain import errors, wire
from storage import compare, cursor, database, outbox
from sync import client, codec, engine, login, machine, session
from sync.effects import Why
from sync.status import Phase, SyncStatus
from tests import fakes
from tests.storage.conftest import LOCATION, add_lead

pytestmark = pytest.mark.anyio
Answer = Callable[[httpx.Request], httpx.Response]
GRANT = {
    "access_token": "a", "refresh_token": "r", "expires_in": 600,
    "user": {"id": "u", "name": "Ann", "email": "a@b.example", "role": "agent", "locations": [{"id": LOCATION}]},
}  # fmt: skip


def page(**values: Any) -> httpx.Response:
    known = wire.Page(
        cursor="c", more=False, blocks=[], removed=[], scopes=[LOCATION], server_ms=1, incarnation="i"
    ).as_json()
    return httpx.Response(200, json={**known, **values})


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"code": code, "message": "In words.", "where": "there", "hint": "Do this."}
    return httpx.Response(status, json=body, headers=headers)


def unpacked(request: httpx.Request) -> bytes:
    if request.headers.get("content-encoding") == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(request.content)
    return request.content


@dataclass(slots=True)
class Lab:
    """A store, an engine, and a server that answers as `answer` says."""

    db: database.Database
    line: client.Client
    sync: engine.Engine
    answers: dict[str, Answer]
    waits: list[tuple[str, float]]

    def says(self, path: str, *answers: httpx.Response) -> None:
        """One after the other, the last one for ever."""
        queue = list(answers)
        self.answers[path] = lambda _: queue.pop(0) if len(queue) > 1 else queue[0]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    answers: dict[str, Answer] = {
        codec.PULL: lambda _: page(),
        "/api/auth/refresh": lambda _: httpx.Response(200, json=GRANT),
    }

    def same(request: httpx.Request) -> httpx.Response:
        sums = compare.sums(db, content=request.url.params.get("content") == "1")
        return httpx.Response(200, json=wire.Digests(sums=sums).as_json())

    answers[codec.DIGESTS] = same
    transport = httpx.MockTransport(lambda request: answers[request.url.path](request))
    db, clock, waits = (
        database.open_store(tmp_path / "store.db"),
        fakes.FakeClock(),
        list[tuple[str, float]](),
    )

    def arm(timer: str, seconds: float | None) -> None:
        if seconds is not None and timer != machine.PATIENCE:
            waits.append((timer, seconds))

    async with httpx.AsyncClient(transport=transport, base_url="http://server.test") as http:
        tokens = session.Session(fakes.FakeSecrets(), clock, "u")
        await tokens.accept(session.grant_of(GRANT))
        line = client.Client(http, tokens)
        yield Lab(db, line, engine.Engine(db, line, clock, arm=arm), answers, waits)
    db.close()


async def test_a_fault_of_the_server_waits_as_long_as_it_asks_and_pulls_all_the_same(lab: Lab) -> None:
    add_lead(lab.db)
    lab.says(codec.PUSH, problem(503, "overloaded", **{"Retry-After": "40"}))

    status = await lab.sync.run_once()

    assert isinstance(status.fault, errors.ServerFaultError)
    assert (status.pending, status.online, status.phase) == (1, True, Phase.IDLE)
    assert cursor.place(lab.db).first_complete
    ((timer, seconds),) = lab.waits
    assert (timer, 40 <= seconds <= 42) == ("up", True)


async def test_a_batch_that_can_t_be_read_is_tried_in_halves_and_only_the_bad_one_waits(lab: Lab) -> None:
    for number in range(7):
        add_lead(lab.db, name="Bad" if number == 4 else "Good")

    def answer(request: httpx.Request) -> httpx.Response:
        if b'"Bad"' in unpacked(request):
            return problem(422, "input")
        return accepted(request)

    lab.answers[codec.PUSH] = answer
    status = await lab.sync.run_once()

    assert (status.pending, status.parked, status.fault) == (0, 1, None)
    (line,) = outbox.listed(lab.db)
    assert (line.mutation.patch["name"], line.code, line.message) == ("Bad", "input", "In words.")


def accepted(request: httpx.Request, incarnation: str = "i") -> httpx.Response:
    mids = [one["mid"] for one in json.loads(unpacked(request))["mutations"]]
    results = [wire.Result(mid=mid, status=wire.Status.APPLIED, ver=1) for mid in mids]
    return httpx.Response(
        200, json=wire.PushAnswer(results=results, server_ms=1, incarnation=incarnation).as_json()
    )


async def test_an_address_that_the_server_does_not_have_parks_nothing(lab: Lab) -> None:
    add_lead(lab.db)
    lab.says(codec.PUSH, problem(404, "not_found"))

    status = await lab.sync.run_once()
    assert (status.pending, status.parked) == (1, 0)
    assert status.fault


async def test_retry_is_tried_later_not_at_once(lab: Lab) -> None:
    add_lead(lab.db)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        result = wire.Result(mid=1, status=wire.Status.RETRY, code="busy")
        return httpx.Response(
            200, json=wire.PushAnswer(results=[result], server_ms=1, incarnation="i").as_json()
        )

    lab.answers[codec.PUSH] = answer
    status = await lab.sync.run_once()

    assert (len(asked), status.pending, len(lab.waits)) == (1, 1, 1)


async def test_edits_made_offline_do_not_push_the_next_try_away(lab: Lab) -> None:
    lab.says(codec.PULL, problem(503, "overloaded"))

    for _ in range(5):
        add_lead(lab.db)
        lab.says(codec.PUSH, problem(503, "overloaded"))
        await lab.sync.run_once(Why.COMMIT)

    assert [timer for timer, _ in lab.waits] == ["up"], "each edit armed a longer wait"
    lab.waits.clear()
    await lab.sync.send_now()
    assert len(lab.waits) == 2
    assert all(seconds <= 2 for _, seconds in lab.waits), "a person's try did not start the waits anew"


async def test_another_incarnation_in_a_push_answer_sends_the_journal_again(lab: Lab) -> None:
    await lab.sync.run_once()
    add_lead(lab.db)
    lab.answers[codec.PUSH] = accepted
    await lab.sync.run_once()
    add_lead(lab.db)
    sent: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(unpacked(request).count(b'"mid"'))
        return accepted(request, "another")

    lab.answers[codec.PUSH] = answer
    lab.answers[codec.PULL] = lambda _: page(incarnation="another")
    status = await lab.sync.run_once()

    assert sent == [1, 1], "what the other life was told is not sent twice, what it missed is"
    assert (status.fault, status.pending) == (None, 0)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"protocol": 1}),
        httpx.Response(200, json={"protocol": 1, "results": [{}], "server_ms": 1, "incarnation": "i"}),
        httpx.Response(200, json={"protocol": 1, "results": 7, "server_ms": 1, "incarnation": "i"}),
    ],
)
async def test_a_push_answer_that_is_none_changes_nothing(lab: Lab, answer: httpx.Response) -> None:
    add_lead(lab.db)
    lab.says(codec.PUSH, answer)

    status = await lab.sync.run_once()
    assert isinstance(status.fault, errors.NotOurServerError)
    assert status.pending == 1


async def test_a_page_that_leads_nowhere_is_no_endless_loop(lab: Lab) -> None:
    lab.says(codec.PULL, page(more=True))

    assert isinstance((await lab.sync.run_once()).fault, errors.NotOurServerError)


async def test_an_opt_out_does_not_wait_for_the_end_of_a_long_load(lab: Lab) -> None:
    asked: list[str] = []
    pages = iter([page(more=True, cursor=str(n)) for n in range(5)] + [page()])

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == codec.PUSH:
            return accepted(request)
        if len(asked) == 2:
            add_lead(lab.db, opted_out=True)
        return next(pages)

    lab.answers |= {codec.PUSH: answer, codec.PULL: answer}
    await lab.sync.run_once()

    assert asked.index(codec.PUSH) == 2


async def test_a_server_that_refuses_even_a_first_sync_is_no_endless_loop(lab: Lab) -> None:
    lab.says(codec.PULL, problem(410, "resync"))

    assert isinstance((await lab.sync.run_once()).fault, errors.ServerFaultError)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (httpx.ConnectError("x"), "can't be reached"),
        (httpx.ReadTimeout("x"), "in time"),
        (httpx.RemoteProtocolError("x"), "cut off"),
        (httpx.UnsupportedProtocol("x"), "address is wrong"),
    ],
)
async def test_each_failure_of_the_line_is_said_in_words(lab: Lab, raised: Exception, words: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise raised

    lab.answers[codec.PULL] = answer
    status = await lab.sync.run_once()

    assert isinstance(status.fault, errors.UnreachableError)
    assert words in status.error
    assert not status.online


async def test_a_401_is_renewed_once_and_not_for_ever(lab: Lab) -> None:
    lab.says(codec.PULL, problem(401, "token_expired"), page())
    assert (await lab.sync.run_once()).fault is None
    lab.says(codec.PULL, problem(401, "token_expired"))
    status = await lab.sync.run_once()

    assert status.needs_sign_in
    assert lab.waits == []


async def test_many_requests_share_one_renewal(lab: Lab) -> None:
    renewed: list[int] = []

    async def ask() -> None:
        await lab.line.get_json(codec.PULL)

    def answer(_: httpx.Request) -> httpx.Response:
        renewed.append(1)
        return httpx.Response(200, json=GRANT)

    lab.answers["/api/auth/refresh"] = answer
    lab.line.tokens.drop_access()
    await asyncio.gather(*(ask() for _ in range(5)))
    assert len(renewed) == 1


async def test_logging_out_forgets_the_tokens_even_without_a_network(lab: Lab) -> None:
    lab.says("/api/auth/logout", httpx.Response(502))
    await login.log_out(lab.line)

    with pytest.raises(errors.TokenExpiredError):
        await lab.line.request("GET", codec.PULL)


async def test_switched_off_by_a_person_nothing_is_sent(lab: Lab) -> None:
    lab.sync.force_offline(True)
    add_lead(lab.db)
    status = await lab.sync.run_once()
    assert (status.forced_offline, status.pending, status.last_contact_at) == (True, 1, None)

    lab.sync.force_offline(False)
    lab.answers[codec.PUSH] = accepted
    await lab.sync.send_now()
    assert lab.sync.status().pending == 0


async def test_the_lamps_follow_every_step(lab: Lab) -> None:
    seen: list[SyncStatus] = []
    stop = lab.sync.subscribe(lambda: seen.append(lab.sync.status()))
    add_lead(lab.db)
    lab.answers[codec.PUSH] = accepted
    lab.says(codec.PULL, page(more=True, done=1, total=2), page())
    await lab.sync.run_once()
    stop()
    stop()
    count = len(seen)
    await lab.sync.run_once()

    assert seen[0].pending == 1
    assert {one.phase for one in seen} == {*Phase} - {Phase.UPLOADING}
    assert 0.5 in {one.first_sync for one in seen}
    assert (seen[-1].running, seen[-1].first_sync, len(seen)) == (False, None, count)


async def test_a_change_made_during_a_run_is_sent_right_after(lab: Lab) -> None:
    await lab.sync.run_once()
    add_lead(lab.db)
    again = iter(["Late"])

    def answer(request: httpx.Request) -> httpx.Response:
        for name in again:
            add_lead(lab.db, name=name)
        return page()

    lab.answers |= {codec.PUSH: accepted, codec.PULL: answer}
    serving = asyncio.ensure_future(lab.sync.serve())
    lab.sync.wake()
    async with asyncio.timeout(5):
        while lab.db.value("SELECT count(*) FROM outbox WHERE state = 'acked'") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert lab.sync.status().pending == 0


async def test_what_nobody_foresaw_stops_no_loop(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if lab.waits:
            return page()
        raise KeyError("a fault of ours")

    lab.answers[codec.PULL] = answer
    serving = asyncio.ensure_future(lab.sync.serve())
    async with asyncio.timeout(5):
        while not lab.sync.status().last_success_at:
            lab.sync.wake(Why.PERSON)
            await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert "sync.unforeseen" in caplog.text


async def test_a_full_disk_stops_the_run_and_says_so(lab: Lab) -> None:
    lab.db.value(f"PRAGMA max_page_count = {lab.db.value('PRAGMA page_count')}")
    rows = [
        [f"019a0000-0000-7000-8000-0000000{n:05}", 1, LOCATION, "2026-11-22T16:00:00.000Z", "x" * 500]
        for n in range(400)
    ]
    block = {
        "table": "locations",
        "columns": ["id", "ver", "location_id", "created_at", "name"],
        "rows": rows,
    }
    lab.says(codec.PULL, page(blocks=[block]))

    status = await lab.sync.run_once()
    assert isinstance(status.fault, errors.DiskFullError)
    assert cursor.place(lab.db).cursor == ""
    assert len(lab.waits) == 1


async def test_who_stays_offline_stays_so_when_the_app_is_started_again(lab: Lab) -> None:
    lab.sync.force_offline(True)
    lab.sync.close()
    add_lead(lab.db)
    again = engine.Engine(lab.db, lab.line, fakes.FakeClock())

    status = await again.run_once(Why.COMMIT)
    assert (status.forced_offline, status.pending, status.last_contact_at) == (True, 1, None)
    again.force_offline(False)
    lab.answers[codec.PUSH] = accepted
    assert (await again.run_once()).pending == 0
    assert not engine.Engine(lab.db, lab.line, fakes.FakeClock()).status().forced_offline
