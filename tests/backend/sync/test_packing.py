"""Messages travel packed both ways, and a body that unpacks without end is turned away before it is in memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable

import httpx
import pytest
import zstandard

from backend.api import packing
from domain import errors, ids, wire
from tests.backend.sync.conftest import MakeDevice, Stamp
from tests.backend.sync.devices import Device, a_lead, new_lead

pytestmark = pytest.mark.anyio

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": gzip.compress,
    "identity": lambda body: body,
}


async def sent(device: Device, body: bytes, encoding: str, path: str = "/api/sync/push") -> httpx.Response:
    headers = {**device.headers, "Content-Encoding": encoding}
    return await device.client.post(path, content=body, headers=headers)


def a_push(device: Device) -> bytes:
    mutation = device.mutation("put", "leads", ids.new_id(), a_lead(device))
    return json.dumps(wire.Push(device_id=device.id, epoch="1", mutations=[mutation]).as_json()).encode()


@pytest.mark.parametrize("encoding", PACKERS)
async def test_a_push_may_come_packed(make_device: MakeDevice, encoding: str) -> None:
    phone = await make_device()

    answer = await sent(phone, PACKERS[encoding](a_push(phone)), encoding)

    (result,) = wire.PushAnswer.from_json(answer.json()).results
    assert result.status is wire.Status.APPLIED


@pytest.mark.parametrize(
    ("accepted", "used"),
    [
        ("zstd, gzip", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("br", ""),
        ("", ""),
        ("identity", ""),
    ],
)
async def test_a_page_is_packed_as_the_device_can_read_it(
    make_device: MakeDevice, stamp: Stamp, accepted: str, used: str
) -> None:
    phone = await make_device()
    await new_lead(phone)
    await stamp()

    headers = {**phone.headers, "Accept-Encoding": accepted}
    answer = await phone.client.get("/api/sync/pull", headers=headers)

    assert answer.headers.get("Content-Encoding", "") == used
    assert wire.Page.from_json(answer.json()).blocks


async def test_what_is_small_is_not_packed(make_device: MakeDevice, stamp: Stamp) -> None:
    phone, stranger = await make_device(), await make_device(locations=("Dallas",))
    await stamp()
    await phone.pull()
    await new_lead(stranger)
    await stamp()

    answer = await phone.client.get(
        "/api/sync/pull",
        params={"cursor": phone.cursor},
        headers={**phone.headers, "Accept-Encoding": "zstd"},
    )

    assert "Content-Encoding" not in answer.headers
    assert len(answer.content) < 100
    assert (
        wire.Page.from_json(answer.json()).cursor != phone.cursor
    )  # it goes on, so that nothing is read twice


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
@pytest.mark.parametrize(
    "body", [b"nonsense", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff", b"\x1f\x8b\x09\0\0\0\0\0\0\0\0"]
)
async def test_what_cannot_be_unpacked_is_refused_in_words(
    make_device: MakeDevice, encoding: str, body: bytes
) -> None:
    phone = await make_device()

    answer = await sent(phone, body, encoding)

    assert (answer.status_code, answer.json()["code"]) == (400, "damaged")
    assert "damaged" in answer.json()["message"]


def packed_as_a_stream(body: bytes) -> bytes:
    """Without the size in its head."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("zstd", PACKERS["zstd"]), ("zstd", packed_as_a_stream), ("gzip", PACKERS["gzip"])],
    ids=["zstd", "zstd as a stream", "gzip"],
)
def test_a_packed_body_cut_at_any_byte_is_said_to_end_too_early(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = json.dumps([{"mid": n, "name": ids.new_id()} for n in range(40)]).encode()
    packed = pack(body)
    assert packing.unpacked(packed, encoding) == body

    for length in range(len(packed)):
        with pytest.raises(packing.DamagedError):
            packing.unpacked(packed[:length], encoding)


@pytest.mark.parametrize(
    ("encoding", "pack", "more"),
    [
        ("zstd", PACKERS["zstd"], b"junk"),
        ("zstd", packed_as_a_stream, b"\0"),
        ("zstd", PACKERS["zstd"], PACKERS["zstd"](b"{}")),
        ("gzip", PACKERS["gzip"], b"junk"),
    ],
    ids=["zstd", "zstd as a stream", "two of zstd", "gzip"],
)
def test_what_follows_a_packed_body_is_not_passed_over(
    encoding: str, pack: Callable[[bytes], bytes], more: bytes
) -> None:
    with pytest.raises(packing.DamagedError, match="can't be unpacked"):
        packing.unpacked(pack(b'{"a": 1}') + more, encoding)


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
async def test_a_push_whose_end_is_missing_is_told_to_be_sent_again(
    make_device: MakeDevice, encoding: str
) -> None:
    phone = await make_device()

    answer = await sent(phone, PACKERS[encoding](a_push(phone))[:-20], encoding)

    told = answer.json()
    assert (answer.status_code, told["code"], told["where"]) == (400, "damaged", "body")
    assert told["message"] == "The packed body ends too early."


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "zstd;q=1"])
async def test_another_packing_is_refused(make_device: MakeDevice, encoding: str) -> None:
    phone = await make_device()

    answer = await sent(phone, b"x", encoding)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported")


async def test_packed_bodies_are_for_sync_alone(make_device: MakeDevice) -> None:
    phone = await make_device()

    answer = await sent(phone, gzip.compress(b"{}"), "gzip", "/api/auth/refresh")

    assert answer.status_code == 415


def bomb(encoding: str) -> bytes:
    """256 MB of nothing, in some kilobytes."""
    zeros = bytes(1 << 20)
    if encoding == "gzip":
        return b"".join(gzip.compress(zeros, 9) for _ in range(256))
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    return b"".join(packer.compress(zeros) for _ in range(256)) + packer.flush()


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
async def test_a_bomb_is_refused_without_taking_its_memory(make_device: MakeDevice, encoding: str) -> None:
    phone, body = await make_device(), bomb(encoding)
    assert len(body) < 400_000

    answer = await sent(phone, body, encoding)
    tracemalloc.start()
    with pytest.raises(errors.InputError):
        packing.unpacked(body, encoding)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.status_code == 422
    assert "fewer" in answer.json()["hint"]
    assert most < 4 * packing.MOST_BYTES
