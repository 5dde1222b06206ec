"""tus 1.0 to the letter, over raw HTTP: what no client of ours sends, others may."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.parser import Parser
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from backend.deps import Deps
from tests.backend.sync.devices import Device
from tests.backend.sync.test_uploads import AUDIO, begin, meta, offset_of, send

pytestmark = pytest.mark.anyio

PART = {"Content-Type": "application/offset+octet-stream"}


class Answer:
    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, _, rest = head.decode().partition("\r\n")
        self.status = int(first.split()[1])
        self.headers = Parser().parsestr(rest)

    @property
    def code(self) -> str:
        return str(orjson.loads(self.body)["code"])


async def raw(device: Device, method: str, url: str, headers: Mapping[str, Any], body: bytes = b"") -> Answer:
    """One request by hand, answered to its end. A body without `Content-Length` goes in chunks of 1,000 bytes."""
    at = urlsplit(str(device.client.base_url))
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    said = {**device.headers, "Host": "x", "Connection": "close", **headers}
    if body and "Content-Length" not in said:
        said["Transfer-Encoding"] = "chunked"
        parts = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    lines = [f"{method} {url} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    answer = Answer(await reader.read())
    writer.close()
    return answer


@pytest.mark.parametrize("announced", [True, False], ids=["of a known length", "in chunks"])
async def test_of_a_part_beyond_the_announced_length_nothing_is_kept(
    phone: Device, deps: Deps, announced: bool
) -> None:
    url = (await begin(phone)).headers["Location"]
    assert offset_of(await send(phone, url, 0, AUDIO[:40_000])) == 40_000
    too_much = AUDIO[40_000:] + b"more"
    length = {"Content-Length": len(too_much)} if announced else {}

    answer = await raw(phone, "PATCH", url, {**PART, **length, "Upload-Offset": 40_000}, too_much)

    assert (answer.status, answer.code) == (413, "too_long")
    assert answer.headers["Upload-Offset"] == "40000"
    assert offset_of(await phone.client.head(url, headers=phone.headers)) == 40_000
    (part,) = (deps.settings.server_dir / "uploads").glob("*.part")
    assert part.read_bytes() == AUDIO[:40_000]
    assert offset_of(await send(phone, url, 40_000, AUDIO[40_000:])) == len(AUDIO)


async def test_what_was_saved_of_a_long_part_on_the_way_is_given_up_with_it(phone: Device) -> None:
    audio = bytes(range(256)) * 8192  # 2 MB: the server saves after each
    url = (await begin(phone, audio)).headers["Location"]

    answer = await raw(phone, "PATCH", url, {**PART, "Upload-Offset": 0}, audio + b"more")

    assert (answer.status, answer.headers["Upload-Offset"]) == (413, "0")
    assert offset_of(await phone.client.head(url, headers=phone.headers)) == 0
    assert offset_of(await send(phone, url, 0, audio)) == len(audio)


async def test_a_creation_with_more_than_it_announces_keeps_none_of_it(phone: Device) -> None:
    said = {"Upload-Length": len(AUDIO), "Upload-Metadata": meta(phone)}

    answer = await raw(phone, "POST", "/api/uploads", {**PART, **said}, AUDIO + b"more")

    assert (answer.status, answer.code, answer.headers["Upload-Offset"]) == (413, "too_long", "0")


@pytest.mark.parametrize("method", ["POST", "PATCH", "HEAD"])
async def test_another_version_of_tus_is_refused_with_the_one_that_is_spoken(
    phone: Device, method: str
) -> None:
    url = (await begin(phone)).headers["Location"]
    path = "/api/uploads" if method == "POST" else url

    answer = await raw(phone, method, path, {**PART, "Upload-Offset": 0, "Tus-Resumable": "0.2.2"})

    assert (answer.status, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert method == "HEAD" or answer.code == "tus_version"


async def test_what_is_spoken_is_told_to_every_version(phone: Device) -> None:
    answer = await raw(phone, "OPTIONS", "/api/uploads", {"Tus-Resumable": "0.2.2"})

    assert (answer.status, answer.headers["Tus-Version"]) == (204, "1.0.0")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/uploads", {"Authorization": "Bearer x"}, 401),
        ("POST", "/api/uploads", {}, 422),
        ("POST", "/api/uploads", {"Content-Length": str(1 << 40)}, 413),
        ("POST", "/api/uploads", {"Content-Encoding": "zstd"}, 415),
        ("PATCH", "/api/uploads/none", {"Upload-Offset": "0", **PART}, 404),
        ("PATCH", "/api/uploads/none", {"Upload-Offset": "0"}, 415),
        ("PATCH", "/api/uploads/none", {"Upload-Offset": "-1", **PART}, 422),
        ("HEAD", "/api/uploads/none", {}, 404),
        ("DELETE", "/api/uploads/none", {}, 405),
        ("PATCH", "/api/uploads/none", {"X-Jorge-Protocol": "9"}, 426),
    ],
)
async def test_every_refusal_says_which_tus_it_is(
    phone: Device, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await raw(phone, method, path, headers)

    assert (answer.status, answer.headers["Tus-Resumable"]) == (status, "1.0.0")
