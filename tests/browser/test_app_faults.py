"""What goes wrong in an app's life, in a real browser: each is said with what to do, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain import wire
from tests.browser import brokerage
from tests.browser.brokerage import Brokerage

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("app"), pytest.mark.timeout(240)]

LENA = {"name": "Lena Albrecht", "address": "1420 Pine St"}


async def test_a_wrong_password_is_said_and_the_right_one_enters(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone() as phone:
        await phone.open()
        await brokerage.type_sign_in(phone, office.agent.email, "not my password")
        await phone.see("E-mail or password is wrong.")

        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await phone.see("Lena Albrecht")


async def test_a_first_sign_in_with_no_server_says_that_it_needs_one(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone() as phone:
        await phone.open("/leads")
        firm.field.net.cut()
        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await phone.see("The first sign-in on this device needs the server.")

        firm.field.net.heal()
        await phone.tap_marked("sign-in")
        await phone.see("Lena Albrecht")
        assert phone.page.url.endswith("/leads")


async def test_a_store_that_is_no_database_is_named_and_left_as_it_is(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    store = firm.field.store(office.agent)
    store.parent.mkdir(parents=True)
    store.write_bytes(b"These are somebody's holiday notes, no database.\n" * 400)
    before = store.read_bytes()
    async with firm.phone() as phone:
        await phone.open()
        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await phone.see("no database")
        assert store.read_bytes() == before

        store.rename(store.with_suffix(".aside"))
        await phone.tap_marked("sign-in")
        await phone.see("Lena Albrecht")


async def test_a_sound_file_that_is_none_is_refused_with_words(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as phone:
        await phone.see("Lena Albrecht")
        await phone.open("/voice")
        async with phone.page.expect_file_chooser() as asked:
            await phone.tap_marked("pick-file")
        await (await asked.value).set_files(
            {"name": "note.wav", "mimeType": "audio/wav", "buffer": b"RIFF and then nothing of the kind"}
        )
        await phone.see("This is not an audio file that can be read")
        assert firm.field.rows(office.agent)["notes"] == 0
        await phone.see("Record a note")


TOO_OLD = b"""{"code": "version_mismatch", "message": "This app is too old for the server.", "where": "protocol",
 "hint": "Update the app; nothing is lost."}"""


@asynccontextmanager
async def newer_server(status: str, body: bytes) -> AsyncIterator[int]:
    """A server of a later release: whatever it is asked, it answers so, and names its protocol."""
    head = f"HTTP/1.1 {status}\r\n{wire.PROTOCOL_HEADER}: 99\r\nContent-Type: application/json\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def test_a_server_that_asks_for_a_newer_app_is_heard_and_the_work_waits(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone(office.agent) as phone, newer_server("426 Upgrade Required", TOO_OLD) as port:
        await phone.tap("Lena Albrecht")
        firm.field.net.lead_to("127.0.0.1", port)
        await phone.fill("Add a next step", "Bring the contract")
        await phone.tap_marked("add-task")
        await phone.see("Done: Bring the contract")
        await phone.tap_marked("lamps")
        await phone.see("This app is too old for the server.")
        assert firm.field.unsent(office.agent) == 1

        firm.field.net.lead_to("127.0.0.1", firm.server.port)
        await phone.tap_marked("send-now")
        await brokerage.until(lambda: firm.field.unsent(office.agent) == 0, seconds=60)
        assert (await firm.rows(office))["tasks"] == 1


async def test_a_first_sign_in_at_a_server_of_another_protocol_says_what_to_do(firm: Brokerage) -> None:
    office = await firm.office([LENA])
    async with firm.phone() as phone, newer_server("200 OK", b"{}") as port:
        await phone.open()
        firm.field.net.lead_to("127.0.0.1", port)
        await brokerage.type_sign_in(phone, office.agent.email, office.agent.password)
        await phone.see("The server speaks another version of the protocol.")
        await phone.see("Update the older of app and server; nothing is lost")

        firm.field.net.lead_to("127.0.0.1", firm.server.port)
        await phone.tap_marked("sign-in")
        await phone.see("Lena Albrecht")
