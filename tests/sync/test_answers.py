"""What a server's answer means."""

from __future__ import annotations

import json

import httpx
import pytest

from domain import errors
from sync import answers

JSON = {"content-type": "application/json"}
CASES = [
    (200, JSON, "{}", None),
    (204, {}, "", None),
    (200, {**JSON, "x-jorge-protocol": "1"}, "{}", None),
    (200, {**JSON, "x-jorge-protocol": "99"}, "{}", errors.VersionMismatchError),
    (404, {**JSON, "x-jorge-protocol": "99"}, "not_found", errors.VersionMismatchError),
    (302, {"location": "/login"}, "", errors.NotOurServerError),
    (401, JSON, "token_expired", errors.TokenExpiredError),
    (401, JSON, "wrong_credentials", errors.WrongCredentialsError),
    (401, JSON, "something new", errors.TokenExpiredError),
    (403, JSON, "forbidden", errors.ForbiddenError),
    (404, JSON, "not_found", errors.NotFoundError),
    (404, {"content-type": "text/html"}, "<html>", errors.NotOurServerError),
    (409, JSON, "device_forked", errors.DeviceForkedError),
    (409, JSON, "rule", errors.RuleError),
    (410, JSON, "resync", errors.ResyncError),
    (413, JSON, "too_large", errors.InputError),
    (422, JSON, "input", errors.InputError),
    (423, JSON, "locked", errors.ServerFaultError),
    (426, JSON, "version_mismatch", errors.VersionMismatchError),
    (426, {}, "", errors.VersionMismatchError),
    (429, JSON, "too_many_tries", errors.TooManyTriesError),
    (429, {}, "", errors.TooManyTriesError),
    (500, JSON, "error", errors.ServerFaultError),
    (502, {"content-type": "text/html"}, "<html>Bad gateway", errors.ServerFaultError),
]


@pytest.mark.parametrize(("status", "headers", "body", "kind"), CASES)
def test_each_answer_means_one_thing(
    status: int, headers: dict[str, str], body: str, kind: type[errors.JorgeError] | None
) -> None:
    if headers == JSON and body != "{}":
        body = json.dumps({"code": body, "message": "In words.", "where": "here", "hint": "Do this."})
    if kind is None:
        answers.check(status, headers, body.encode())
        return
    with pytest.raises(kind) as caught:
        answers.check(status, headers, body.encode())
    assert type(caught.value) is kind
    assert caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1e9", 3600.0),
        ("-1", None),
        ("nan", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_the_pause_that_a_server_asks_for_is_kept(said: str, seconds: float | None) -> None:
    with pytest.raises(errors.ServerFaultError) as caught:
        answers.check(503, httpx.Headers({"Retry-After": said}), b"")

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("body", ["<html>", "[1]", "{", '"x"', ""])
def test_what_is_no_json_object_is_not_our_server(body: str) -> None:
    with pytest.raises(errors.NotOurServerError):
        answers.json_of(JSON, body.encode())
    with pytest.raises(errors.NotOurServerError):
        answers.sync_json(JSON, b'{"hello": 1}')
