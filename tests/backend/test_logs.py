"""Logs hold no personal data."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest

from backend import logs
from tests.logged import log
from tests.serving import Login, MakeUser


@pytest.fixture
def redactor() -> logs.Redactor:
    return logs.Redactor()


@pytest.mark.parametrize(
    "canary",
    [
        "jane.doe+x@brokerage.example",
        "(909) 555-0142",
        "909-555-0142",
        "+1 909 555 0142",
        "+19095550142",
        "9095550142",
        "QeUXUVsc_Gi01ItnMhLATtl3-MCd2JmBVXKkgXmM7QY",
        "Bearer abc.def",
        "eyJhbGciOi.eyJzdWIiOi.c2ln",
    ],
)
def test_personal_data_and_tokens_are_masked(redactor: logs.Redactor, canary: str) -> None:
    event = {"event": f"said {canary} twice", "deep": {"list": [f"x {canary}"]}, "error": ValueError(canary)}

    assert canary.removeprefix("Bearer ") not in str(redactor(None, "", event))


def test_fields_with_telling_names_are_masked_whatever_they_hold(redactor: logs.Redactor) -> None:
    event = {
        "event": "x",
        "password": "demo",
        "email": "j",
        "transcript": "sell by May",
        "phone_type": "cell",
    }

    masked = redactor(None, "", event)

    assert not {"demo", "j", "sell by May"} & set(masked.values())


def test_ids_times_and_numbers_stay_readable(redactor: logs.Redactor) -> None:
    event = {
        "event": "request",
        "session": "01a2041b-704c-75f5-a69a-958e6c89a463",
        "ms": 12.5,
        "n": 9095550142,
        "route": "/api/sync/push/{id}",
        "timestamp": "2026-11-22T16:33:54.571476Z",
    }

    assert redactor(None, "", event) == event


def test_the_same_value_gets_the_same_mask(redactor: logs.Redactor) -> None:
    first = redactor(None, "", {"event": "to 909-555-0142"})
    second = redactor(None, "", {"event": "to 909-555-0142"})
    other = redactor(None, "", {"event": "to 909-555-0199"})

    assert first == second
    assert first != other


def test_password_in_an_address_is_masked(redactor: logs.Redactor) -> None:
    masked = redactor(None, "", {"event": "postgresql://jorge:hush@db.internal/jorge does not answer"})

    assert "hush" not in masked["event"]


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    with log("INFO") as stream:
        yield stream


@pytest.mark.anyio
async def test_signing_in_leaves_no_trace_of_who(
    client: httpx.AsyncClient, make_user: MakeUser, login: Login, said: io.StringIO
) -> None:
    user = await make_user(email="canary.person@brokerage.example")
    await login(user.email)
    await client.get("/nowhere/canary.person?phone=9095550142")

    log = said.getvalue()
    assert '"route": "/api/auth/login"' in log
    assert '"status": 404' in log
    assert "canary" not in log
    assert "9095550142" not in log
