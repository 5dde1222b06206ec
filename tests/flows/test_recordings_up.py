"""Recordings on their way up: what the server says to them, when they wait, and that rows never wait for them."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from backend.deps import Deps
from backend.jobs import forgetting
from backend.settings import Settings
from domain import errors, ports
from storage import blobs
from sync import effects, engine
from tests.flows.conftest import Stamp
from tests.flows.phones import MakePhone, Phone
from tests.flows.test_live_lines import over_the_wire
from tests.flows.test_recordings import record
from tests.proxy import Proxy
from tests.serving import LiveServer
from tests.waiting import running, until

pytestmark = pytest.mark.anyio

MB = 1024 * 1024


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"upload_max_mb": 120, "upload_quota_mb": 130})


def states(phone: Phone) -> list[tuple[str, int]]:
    return [
        (row["state"], row["sent"]) for row in phone.db.rows("SELECT state, sent FROM blobs ORDER BY size")
    ]


async def test_a_recording_without_room_on_the_server_is_listed_and_the_others_arrive(
    make_phone: MakePhone, tmp_path: Path, deps: Deps
) -> None:
    ann = await make_phone()
    record(ann, os.urandom(2000), tmp_path)
    note_id = record(ann, os.urandom(100), tmp_path)
    with ann.db.write_tx() as tx:  # as if the file had become larger than all room there is
        tx.execute("UPDATE blobs SET size = ? WHERE note_id = ?", (140 * MB, note_id))
    with (tmp_path / f"{note_id}.wav").open("r+b") as file:
        file.truncate(140 * MB)

    status = await ann.run()

    assert states(ann) == [("sent", 2000), ("failed", 0)]
    (refused,) = blobs.unsent(ann.db)
    assert "120 MB at most" in refused.error
    assert (status.fault, status.pending) == (None, 0)


async def test_the_servers_limit_is_known_after_the_first_recording(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    ann = await make_phone()
    assert blobs.most_bytes(ann.db) == 50 * MB

    record(ann, os.urandom(10), tmp_path)
    await ann.run()

    assert blobs.most_bytes(ann.db) == 120 * MB


async def test_an_upload_that_expired_on_the_server_begins_anew_by_itself(
    make_phone: MakePhone, tmp_path: Path, deps: Deps
) -> None:
    ann = await make_phone()
    record(ann, os.urandom(700_000), tmp_path)
    while not (states(ann)[0][1]):
        ann.transport.cut_after = len(ann.transport.requests) + 3
        await ann.run()
    await deps.pool.execute("UPDATE uploads SET touched_at = touched_at - interval '8 days'")
    await forgetting.once(deps)
    ann.transport.cut_after = None

    await ann.run()

    assert states(ann) == [("sent", 700_000)]


async def test_an_upload_that_expires_between_two_parts_begins_anew_too(
    make_phone: MakePhone, tmp_path: Path, deps: Deps
) -> None:
    ann, expired = await make_phone(), False
    record(ann, os.urandom(900_000), tmp_path)
    real = ann.transport.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal expired
        if request.method == "PATCH" and request.headers["Upload-Offset"] != "0" and not expired:
            expired = True
            await deps.pool.execute("UPDATE uploads SET touched_at = touched_at - interval '8 days'")
            await forgetting.once(deps)
        return await real(request)

    ann.transport.handle_async_request = handle  # type: ignore[method-assign]
    await ann.run()

    assert expired
    assert states(ann) == [("sent", 900_000)]


async def test_a_recording_that_was_cut_short_on_the_device_is_listed_and_rows_go_on(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    ann = await make_phone()
    note_id = record(ann, os.urandom(700_000), tmp_path)
    while not states(ann)[0][1]:
        ann.transport.cut_after = len(ann.transport.requests) + 3
        await ann.run()
    ann.transport.cut_after = None
    os.truncate(tmp_path / f"{note_id}.wav", 1000)

    ann.add_lead()
    status = await ann.run()

    assert (states(ann)[0][0], status.pending) == ("failed", 0)
    assert "no longer whole" in blobs.unsent(ann.db)[0].error


async def test_a_file_that_the_server_can_t_take_now_lets_the_others_go_first(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    ann, broken = await make_phone(), True
    for size in (100, 200, 300):
        record(ann, os.urandom(size), tmp_path)
    real = ann.transport.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        if broken and request.headers.get("Upload-Length") == "100":
            return httpx.Response(507, request=request)
        return await real(request)

    ann.transport.handle_async_request = handle  # type: ignore[method-assign]
    first = await ann.run()
    assert isinstance(first.fault, errors.ServerFaultError)
    await ann.run()
    assert states(ann) == [("waiting", 0), ("sent", 200), ("sent", 300)]

    broken = False
    await ann.run()
    assert states(ann)[0] == ("sent", 100)


async def test_recordings_wait_for_wifi_and_rows_do_not(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path
) -> None:
    ann, boss = await make_phone(), await make_phone("manager")
    ann.sync.metered(True)
    note_id = record(ann, os.urandom(1000), tmp_path)
    ann.add_lead(name="Not waiting")

    status = await ann.run()

    assert (status.pending, status.files, status.waiting_for_wifi) == (0, 1, True)
    assert states(ann) == [("waiting", 0)]
    await stamp()
    await boss.run()
    assert {("notes", note_id)} <= boss.everything().keys()

    ann.sync.metered(False)
    assert not (await ann.run()).waiting_for_wifi
    assert states(ann) == [("sent", 1000)]


async def test_a_connection_that_begins_to_cost_stops_a_file_after_its_part(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    ann = await make_phone()
    record(ann, os.urandom(900_000), tmp_path)
    real = ann.transport.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            ann.sync.metered(True)
        return await real(request)

    ann.transport.handle_async_request = handle  # type: ignore[method-assign]
    await ann.run()
    assert states(ann) == [("sending", 256 * 1024)]

    ann.transport.handle_async_request = real  # type: ignore[method-assign]
    ann.sync.metered(False)
    await ann.run()
    assert states(ann) == [("sent", 900_000)]


async def test_a_recording_whose_note_moved_to_another_location_arrives_there(
    make_phone: MakePhone, stamp: Stamp, tmp_path: Path, deps: Deps
) -> None:
    ann = await make_phone(locations=("Rancho Cucamonga", "Dallas"))
    ann.sync.metered(True)
    note_id = record(ann, os.urandom(100), tmp_path)
    await ann.run()
    there = next(place for place in ann.grant.location_ids if place != ann.location)
    await deps.pool.execute("UPDATE notes SET location_id = $2 WHERE id = $1", note_id, there)
    await stamp()

    ann.sync.metered(False)
    await ann.run()  # the recording may be quicker than the page that tells of the move
    await ann.run()

    assert states(ann) == [("sent", 100)]
    assert await deps.pool.fetchval("SELECT location_id FROM uploads") == there


async def test_a_recording_made_before_the_location_was_taken_away_arrives_and_then_leaves_the_device(
    make_phone: MakePhone, tmp_path: Path, deps: Deps
) -> None:
    ann = await make_phone(locations=("Dallas", "Rancho Cucamonga"))
    ann.sync.metered(True)
    note_id = record(ann, os.urandom(100), tmp_path)
    lost = blobs.of_note(ann.db, note_id)
    assert lost is not None
    await ann.run()
    await deps.pool.execute(
        "DELETE FROM user_locations WHERE user_id = $1 AND location_id = $2",
        ann.grant.user_id,
        lost.location_id,
    )
    await ann.run()
    assert (states(ann), ann.db.value("SELECT count(*) FROM notes")) == ([("waiting", 0)], 0)

    ann.sync.metered(False)
    await ann.run()

    assert (states(ann), lost.path.exists()) == ([], False)
    (there,) = await deps.pool.fetch("SELECT note_id, location_id FROM uploads WHERE done_at IS NOT NULL")
    assert tuple(there) == (note_id, lost.location_id)


async def test_a_hundred_megabytes_on_a_slow_line_hold_up_no_row(
    make_phone: MakePhone, live_server: LiveServer, clock: ports.Clock, tmp_path: Path, deps: Deps
) -> None:
    """Each row is on the server while the file still moves; then the line gets better, and the file arrives whole."""
    ann = await make_phone()
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.truncate(100 * MB)
    content = path.read_bytes()
    record(ann, content, tmp_path)
    async with Proxy("127.0.0.1", live_server.port) as net:
        net.slow_up = 60_000
        line = await over_the_wire(ann, live_server, clock)
        line.http.base_url = httpx.URL(net.url)
        sync = engine.Engine(ann.db, line, clock)
        async with running(sync.serve()):
            sync.wake(effects.Why.PERSON)
            for number in range(5):
                before = net.bytes_up
                await until(lambda before=before: net.bytes_up > before + 20_000, 90)  # type: ignore[misc]
                lead_id = ann.add_lead(name=f"Row {number}")
                await until(lambda: not ann.unsent(), 90)
                there = await deps.pool.fetchval("SELECT count(*) FROM leads WHERE id = $1", lead_id)
                (moving,) = blobs.unsent(ann.db)
                assert (there, moving.sent < moving.size) == (1, True)
            net.slow_up = None
            await until(lambda: not blobs.unsent(ann.db), 90)
        await line.http.aclose()
        sync.close()
    assert net.bytes_up < 101.5 * MB
    assert await deps.pool.fetchval("SELECT received FROM uploads") == 100 * MB
