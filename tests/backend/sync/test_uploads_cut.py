"""Voice files over real HTTP: lines that are cut, requests that meet, a disk that fills, room that ends."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import random
import shutil
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from backend.deps import Deps
from backend.jobs import forgetting
from backend.settings import Settings
from domain import ids
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device
from tests.backend.sync.test_uploads import AUDIO, begin, meta, offset_of, send, whole
from tests.serving import LiveServer
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def server_settings(server_settings: Settings) -> Settings:
    return server_settings.model_copy(update={"upload_max_mb": 1, "upload_quota_mb": 1})


class Line:
    """A connection by hand: sends a part's head and as much of its body as the test likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def patch(cls, device: Device, url: str, offset: int, length: int) -> Line:
        at = urlsplit(str(device.client.base_url))
        line = cls(*await asyncio.open_connection(at.hostname, at.port))
        headers = {
            **device.headers,
            "Host": "x",
            "Content-Length": length,
            "Upload-Offset": offset,
            "Content-Type": "application/offset+octet-stream",
        }
        lines = [f"PATCH {url} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        line.writer.write("\r\n".join(lines).encode())
        return line

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def cut(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def status(self) -> int:
        return int((await self.reader.readline()).split()[1])


def part_of(url: str) -> str:
    return url.rpartition("/")[2] + ".part"


async def stands_at(device: Device, url: str) -> int:
    return offset_of(await device.client.head(url, headers=device.headers))


async def test_what_is_on_disk_before_a_cut_is_kept_to_the_byte(phone: Device, deps: Deps) -> None:
    audio = AUDIO[:400]
    url = (await begin(phone, audio)).headers["Location"]
    part, at, sizes = deps.settings.server_dir / "uploads" / part_of(url), 0, random.Random(3)
    while at < len(audio) - 1:
        came = min(sizes.randint(1, 40), len(audio) - 1 - at)
        line = await Line.patch(phone, url, at, len(audio) - at)
        await line.say(audio[at : at + came])
        await until(lambda at=at + came: part.exists() and part.stat().st_size == at)  # type: ignore[misc]
        await line.cut()
        at += came
        assert await stands_at(phone, url) in (at - came, at)  # a cut is heard of a moment later
        assert (await send(phone, url, 10**6, b"x")).status_code == 409  # whoever comes waits until it was
        assert await stands_at(phone, url) == at
    assert (await send(phone, url, at, audio[at:])).status_code == 204
    assert (await phone.client.get(url, headers=phone.headers)).content == audio


async def test_a_line_cut_at_any_byte_never_counts_one_that_did_not_come(phone: Device) -> None:
    audio = AUDIO[:300]
    url = (await begin(phone, audio)).headers["Location"]
    for sent in range(len(audio)):
        at = await stands_at(phone, url)
        line = await Line.patch(phone, url, at, len(audio) - at)
        await line.say(audio[at : max(at, sent)])
        await line.cut()
        assert at <= await stands_at(phone, url) <= max(at, sent)
    await send(phone, url, 10**6, b"x")
    at = await stands_at(phone, url)
    assert (await send(phone, url, at, audio[at:])).status_code == 204
    assert (await phone.client.get(url, headers=phone.headers)).content == audio


async def test_a_newer_request_goes_first_and_loses_nothing_of_the_older_one(
    phone: Device, deps: Deps
) -> None:
    url = (await begin(phone)).headers["Location"]
    dead = await Line.patch(phone, url, 0, len(AUDIO))
    await dead.say(AUDIO[:1000])  # and then the phone walks into another network
    part = deps.settings.server_dir / "uploads" / part_of(url)
    await until(lambda: part.exists() and part.stat().st_size == 1000)
    assert (await send(phone, url, 77, b"x")).status_code == 409
    assert await stands_at(phone, url) == 1000
    assert await dead.status() == 423
    assert offset_of(await send(phone, url, 1000, AUDIO[1000:])) == len(AUDIO)
    await dead.cut()


async def test_two_requests_at_once_write_each_byte_once(phone: Device) -> None:
    url = (await begin(phone)).headers["Location"]
    answers = await asyncio.gather(*(send(phone, url, 0, AUDIO) for _ in range(4)))
    done = [answer.status_code for answer in answers].count(204)
    assert {answer.status_code for answer in answers} <= {204, 409, 423}
    if not done:
        at = await stands_at(phone, url)
        assert (await send(phone, url, at, AUDIO[at:])).status_code == 204
    assert (await phone.client.get(url, headers=phone.headers)).content == AUDIO


async def test_another_server_process_that_writes_the_file_is_not_disturbed(
    phone: Device, deps: Deps
) -> None:
    url = (await begin(phone)).headers["Location"]
    part = os.open(deps.settings.server_dir / "uploads" / part_of(url), os.O_RDWR | os.O_CREAT)
    fcntl.flock(part, fcntl.LOCK_EX)
    answer = await send(phone, url, 0, AUDIO)
    assert (answer.status_code, answer.json()["code"]) == (423, "locked")
    assert "Retry-After" in answer.headers
    os.close(part)
    assert (await send(phone, url, 0, AUDIO)).status_code == 204


async def test_two_phones_send_the_same_content_at_once(phone: Device, make_device: MakeDevice) -> None:
    other = await make_device()
    other.client = phone.client
    urls = [(await begin(one)).headers["Location"] for one in (phone, other)]
    answers = await asyncio.gather(
        *(send(one, url, 0, AUDIO) for one, url in zip((phone, other), urls, strict=True))
    )
    assert {answer.status_code for answer in answers} <= {
        204,
        409,
    }  # 409: the other one has brought all of it
    assert {offset_of(answer) for answer in answers} == {len(AUDIO)}
    assert (await phone.client.get(urls[1], headers=phone.headers)).content == AUDIO


async def test_the_same_content_in_another_location_of_theirs_is_not_sent_again(
    make_device: MakeDevice, live_server: LiveServer
) -> None:
    manager = await make_device("manager", ("Rancho Cucamonga", "Dallas"))
    await whole(manager)
    again = await begin(manager, location_id=manager.locations[1])
    assert offset_of(again) == len(AUDIO)
    far = await make_device(locations=("Austin",))
    assert offset_of(await begin(far)) == 0


async def test_a_full_disk_keeps_what_it_could_and_asks_for_patience(
    phone: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = (await begin(phone)).headers["Location"]
    real, room = os.pwrite, 30_000

    def almost_full(handle: int, data: bytes, offset: int) -> int:
        """A disk with 30,000 bytes left for this file."""
        if offset >= room:
            raise OSError(28, "No space left on device")
        return real(handle, data[: room - offset], offset)

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", almost_full)
        answer = await send(phone, url, 0, AUDIO)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert int(answer.headers["Retry-After"]) > 0
    assert await stands_at(phone, url) == room
    assert offset_of(await send(phone, url, room, AUDIO[room:])) == len(AUDIO)


async def test_a_disk_without_room_says_so_before_anything_is_sent(
    phone: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**20}))
    answer = await begin(phone)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


async def test_a_file_that_an_operator_deleted_is_asked_for_again(phone: Device, deps: Deps) -> None:
    url = (await begin(phone)).headers["Location"]
    await send(phone, url, 0, AUDIO[:500])
    (deps.settings.server_dir / "uploads" / part_of(url)).unlink()
    assert await stands_at(phone, url) == 0
    assert (await send(phone, url, 500, AUDIO[500:])).status_code == 409
    assert offset_of(await send(phone, url, 0, AUDIO)) == len(AUDIO)
    (deps.settings.server_dir / "uploads" / phone.locations[0] / hashlib.sha256(AUDIO).hexdigest()).unlink()
    assert await stands_at(phone, url) == 0
    assert offset_of(await send(phone, url, 0, AUDIO)) == len(AUDIO)


async def test_room_is_limited_for_each_person_and_said_in_numbers(
    phone: Device, make_device: MakeDevice
) -> None:
    big = os.urandom(900_000)
    url = (await begin(phone, big)).headers["Location"]
    refused = await begin(phone, os.urandom(200_000))
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (
        413,
        "too_large",
        "quota",
    )
    assert (await begin(phone, big)).headers["Location"] != ""
    other = await make_device()
    other.client = phone.client
    assert (await begin(other, os.urandom(200_000))).status_code == 201
    assert (await send(phone, url, 0, big)).status_code == 204


async def test_a_file_over_the_limit_is_told_the_limit(phone: Device) -> None:
    refused = await phone.client.post(
        "/api/uploads",
        headers={**phone.headers, "Upload-Length": str(2**20 + 1), "Upload-Metadata": meta(phone)},
    )
    assert (refused.status_code, refused.headers["Tus-Max-Size"]) == (413, str(2**20))
    abilities = await phone.client.options("/api/uploads")
    assert abilities.headers["Tus-Max-Size"] == str(2**20)
    assert "expiration" in abilities.headers["Tus-Extension"]


async def test_an_upload_tells_when_it_expires_and_is_gone_afterwards(phone: Device, deps: Deps) -> None:
    note_id = ids.new_id()
    created = await begin(phone, note_id=note_id)
    url = created.headers["Location"]
    ends = parsedate_to_datetime(created.headers["Upload-Expires"])
    assert timedelta(days=6.9) < ends - deps.clock.now() < timedelta(days=7.1)
    await send(phone, url, 0, AUDIO[:10])
    await deps.pool.execute("UPDATE uploads SET touched_at = touched_at - interval '8 days'")
    await forgetting.once(deps)
    assert (await phone.client.head(url, headers=phone.headers)).status_code == 410
    gone = await send(phone, url, 10, AUDIO[10:])
    assert (gone.status_code, gone.json()["code"]) == (410, "upload_expired")
    anew = await begin(phone, note_id=note_id)
    assert (anew.headers["Location"] != url, offset_of(anew)) == (True, 0)


async def test_a_small_file_travels_with_its_announcement(phone: Device) -> None:
    headers = {
        **phone.headers,
        "Upload-Length": str(len(AUDIO)),
        "Upload-Metadata": meta(phone),
        "Content-Type": "application/offset+octet-stream",
    }
    answer = await phone.client.post("/api/uploads", headers=headers, content=AUDIO)
    assert (answer.status_code, offset_of(answer)) == (201, len(AUDIO))


async def test_a_download_goes_on_where_it_was_cut_and_begins_anew_when_the_file_is_another(
    phone: Device,
) -> None:
    url = await whole(phone)
    tag = f'"{hashlib.sha256(AUDIO).hexdigest()}"'
    rest = {"Range": "bytes=60000-", "If-Range": tag}
    answer = await phone.client.get(url, headers={**phone.headers, **rest})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (206, AUDIO[60_000:], tag)
    other = await phone.client.get(url, headers={**phone.headers, **rest, "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, AUDIO)
