"""Voice files: in parts, cut and taken up again, each byte once, and only where the person may hear them."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

import httpx
import pytest

from backend.deps import Deps
from domain import ids
from tests.backend.sync.conftest import MakeDevice
from tests.backend.sync.devices import Device

pytestmark = pytest.mark.anyio

AUDIO = os.urandom(100_000)


def meta(device: Device, audio: bytes = AUDIO, **more: str) -> str:
    said = {
        "note_id": ids.new_id(),
        "location_id": device.locations[0],
        "sha256": hashlib.sha256(audio).hexdigest(),
        "filetype": "audio/wav",
        **more,
    }
    return ", ".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


async def begin(device: Device, audio: bytes = AUDIO, **more: str) -> httpx.Response:
    headers = {
        **device.headers,
        "Upload-Length": str(len(audio)),
        "Upload-Metadata": meta(device, audio, **more),
    }
    return await device.client.post("/api/uploads", headers=headers)


async def send(device: Device, url: str, offset: int, part: bytes, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/offset+octet-stream", **headers}
    return await device.client.patch(
        url, content=part, headers={**device.headers, "Upload-Offset": str(offset), **headers}
    )


def offset_of(answer: httpx.Response) -> int:
    return int(answer.headers["Upload-Offset"])


async def whole(device: Device, audio: bytes = AUDIO, **more: str) -> str:
    url = (await begin(device, audio, **more)).headers["Location"]
    assert offset_of(await send(device, url, 0, audio)) == len(audio)
    return str(url)


async def test_a_file_goes_on_where_the_last_part_ended(make_device: MakeDevice) -> None:
    phone = await make_device()
    created = await begin(phone)
    assert (created.status_code, offset_of(created)) == (201, 0)
    url = created.headers["Location"]
    assert offset_of(await send(phone, url, 0, AUDIO[:40_000])) == 40_000
    asked = await phone.client.head(url, headers=phone.headers)
    assert offset_of(asked) == 40_000
    assert (await send(phone, url, 0, AUDIO[:40_000])).status_code == 409
    assert offset_of(await send(phone, url, 40_000, AUDIO[40_000:])) == len(AUDIO)
    got = await phone.client.get(url, headers=phone.headers)
    assert got.content == AUDIO


async def test_a_creation_whose_answer_was_lost_is_taken_up(make_device: MakeDevice) -> None:
    phone, note_id = await make_device(), ids.new_id()
    first = await begin(phone, note_id=note_id)
    await send(phone, first.headers["Location"], 0, AUDIO[:10])
    again = await begin(phone, note_id=note_id)
    assert (again.headers["Location"], offset_of(again)) == (first.headers["Location"], 10)


async def test_what_is_here_already_is_not_sent_again(make_device: MakeDevice) -> None:
    phone, other = await make_device(), await make_device()
    await whole(phone)
    assert offset_of(await begin(other)) == len(AUDIO)


async def test_the_same_file_elsewhere_is_not_betrayed(make_device: MakeDevice) -> None:
    phone, far = await make_device(), await make_device(locations=("Dallas",))
    url = await whole(phone)
    assert offset_of(await begin(far)) == 0
    for address in (url, f"/api/uploads/{hashlib.sha256(AUDIO).hexdigest()}"):
        assert (await far.client.get(address, headers=far.headers)).status_code == 404
    assert (await far.client.head(url, headers=far.headers)).status_code == 404
    assert (await send(far, url, 0, b"x")).status_code == 404
    assert (await begin(far, location_id=phone.locations[0])).status_code == 403


async def test_a_part_that_changed_on_the_way_is_refused(make_device: MakeDevice) -> None:
    phone = await make_device()
    url = (await begin(phone)).headers["Location"]
    right = base64.b64encode(hashlib.sha256(AUDIO[:9]).digest()).decode()
    answer = await send(phone, url, 0, b"otherwise", **{"Upload-Checksum": f"sha256 {right}"})
    assert (answer.status_code, answer.json()["code"], offset_of(answer)) == (460, "checksum", 0)
    assert offset_of(await send(phone, url, 0, AUDIO[:9], **{"Upload-Checksum": f"sha256 {right}"})) == 9


async def test_a_wrong_whole_begins_again_at_nothing(make_device: MakeDevice) -> None:
    phone = await make_device()
    url = (await begin(phone)).headers["Location"]
    answer = await send(phone, url, 0, bytes(len(AUDIO)))
    assert (answer.status_code, offset_of(answer)) == (460, 0)
    assert offset_of(await phone.client.head(url, headers=phone.headers)) == 0
    assert offset_of(await send(phone, url, 0, AUDIO)) == len(AUDIO)


async def test_bytes_that_were_written_but_never_acknowledged_do_no_harm(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    url = (await begin(phone)).headers["Location"]
    await send(phone, url, 0, AUDIO[:50])
    (part,) = (deps.settings.server_dir / "uploads").glob("*.part")
    part.write_bytes(AUDIO[:50] + b"garbage of a killed server")
    assert offset_of(await phone.client.head(url, headers=phone.headers)) == 50
    assert offset_of(await send(phone, url, 50, AUDIO[50:])) == len(AUDIO)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": str(50 * 2**20 + 1)}, 413),
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": "10", "Upload-Metadata": "sha256 !!!"}, 422),
        ({"Upload-Length": "10", "Upload-Metadata": ""}, 422),
    ],
)
async def test_a_bad_announcement_is_told_what_is_wrong(
    make_device: MakeDevice, headers: dict[str, Any], status: int
) -> None:
    phone = await make_device()
    answer = await phone.client.post(
        "/api/uploads", headers={**phone.headers, "Upload-Metadata": meta(phone), **headers}
    )
    assert answer.status_code == status
    assert answer.json()["message"]


async def test_a_range_of_a_recording_can_be_heard(make_device: MakeDevice) -> None:
    phone = await make_device()
    url = await whole(phone)
    answer = await phone.client.get(url, headers={**phone.headers, "Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, AUDIO[10:20])


async def test_a_range_beyond_the_end_is_refused_in_the_one_shape_and_one_that_is_none_is_passed_over(
    make_device: MakeDevice,
) -> None:
    phone = await make_device()
    url = await whole(phone)
    same = {"If-Range": f'"{hashlib.sha256(AUDIO).hexdigest()}"'}
    for more in ({}, same):
        answer = await phone.client.get(url, headers={**phone.headers, "Range": "bytes=100000-", **more})
        assert (answer.status_code, set(answer.json())) == (416, {"code", "message", "where", "hint"})
        assert answer.headers["Content-Range"] == f"bytes */{len(AUDIO)}"
        for none in ("bytes=5-1", "bytes=x", "items=0-1", "bytes"):
            answer = await phone.client.get(url, headers={**phone.headers, "Range": none, **more})
            assert (answer.status_code, answer.content) == (200, AUDIO)


@pytest.mark.parametrize("name", ["%00", "x", "%ff", "f" * 65])
async def test_a_name_of_no_recording_is_not_found(make_device: MakeDevice, name: str) -> None:
    phone = await make_device()
    answer = await phone.client.get(f"/api/uploads/{name}", headers=phone.headers)
    assert answer.status_code == 404


async def test_headers_beyond_ascii_are_told(make_device: MakeDevice) -> None:
    phone = await make_device()
    announced = [*phone.headers.items(), ("Upload-Length", "5")]
    foreign = [(name.encode(), value.encode()) for name, value in announced]
    answer = await phone.client.post(
        "/api/uploads", headers=[*foreign, (b"Upload-Metadata", b"note_id \xe9")]
    )
    assert (answer.status_code, answer.json()["where"]) == (422, "Upload-Metadata")
    url = (await begin(phone)).headers["Location"]
    sums = (b"Upload-Checksum", b"sha256 \xe9")
    more = [(b"Upload-Offset", b"0"), (b"Content-Type", b"application/offset+octet-stream"), sums]
    answer = await phone.client.patch(url, content=AUDIO, headers=[*foreign, *more])
    assert (answer.status_code, answer.json()["where"]) == (422, "Upload-Checksum")


async def test_a_disk_that_takes_nothing_is_told_and_the_part_may_come_again(
    make_device: MakeDevice, deps: Deps
) -> None:
    phone = await make_device()
    url = (await begin(phone)).headers["Location"]
    folder = deps.settings.server_dir / "uploads"
    folder.rmdir()
    folder.write_text("no folder")
    answer = await send(phone, url, 0, AUDIO)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    folder.unlink()
    assert (await send(phone, url, 0, AUDIO)).status_code == 204
