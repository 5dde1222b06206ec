"""What a server's HTTP answer means, in errors of ours: pure, so that each case is a test of one line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from domain import errors, wire

_SIGN_IN = "Sign in again; unsent work stays on this device."
_LATER = "Nothing is lost: the app tries again by itself."


def check(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raises: NetworkError, AccessError, SyncError or InputError for all but a good answer of our server."""
    theirs = headers.get(wire.PROTOCOL_HEADER.lower(), str(wire.PROTOCOL))
    if status == 426 or theirs != str(wire.PROTOCOL):
        raise _as(
            errors.VersionMismatchError,
            problem_of(headers, body) if status == 426 else {},
            "The server speaks another version of the protocol.",
            _UPDATE,
        )
    if 200 <= status < 300:
        return
    problem = problem_of(headers, body)
    retry_after = retry_after_of(headers)
    if status == 429:
        raise _as(errors.TooManyTriesError, problem, "The server asks for a pause.", _LATER, retry_after)
    if status >= 500:
        raise _as(
            errors.ServerFaultError, problem, f"The server has a fault ({status}).", _LATER, retry_after
        )
    if not problem:
        raise not_ours(f"status {status}")
    raise _by_code(status, problem, retry_after)


def json_of(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The answer's JSON object. Raises: NotOurServerError for anything else, such as a hotel's sign-in page."""
    if "json" not in headers.get("content-type", ""):
        raise not_ours("no JSON")
    try:
        found = json.loads(body)
    except ValueError as fault:
        raise not_ours("broken JSON") from fault
    if not isinstance(found, dict):
        raise not_ours("no JSON object")
    return found


def sync_json(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """A message of the sync protocol. Raises: NotOurServerError when it is none, VersionMismatchError."""
    found = json_of(headers, body)
    if "protocol" not in found:
        raise not_ours("no sync message")
    return found


def not_ours(why: str) -> errors.NotOurServerError:
    return errors.NotOurServerError(
        f"Something answered, but it is no Jorge server ({why}).",
        where="server",
        hint="Is this a network that asks you to sign in first (hotel, airport)? Then do that in the browser."
        " Otherwise check the server's address.",
    )


def problem_of(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The one JSON error shape; empty when this is none."""
    try:
        found = json_of(headers, body)
    except errors.NotOurServerError:
        return {}
    if not all(isinstance(found.get(key), str) for key in ("code", "message")):
        return {}
    return {key: str(found.get(key, "")) for key in ("code", "message", "where", "hint")}


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds; the form with a date and nonsense count as not said."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(seconds, 3600.0) if math.isfinite(seconds) and seconds >= 0 else None


_UPDATE = "Update the older of app and server; nothing is lost, unsent work stays on the device."
_BY_STATUS: Mapping[int, type[errors.JorgeError]] = {
    401: errors.TokenExpiredError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    410: errors.ResyncError,
    423: errors.ServerFaultError,  # another request of ours, on a line that died, is not over yet
}


def _by_code(status: int, problem: Mapping[str, str], retry_after: float | None) -> errors.JorgeError:
    kind = _BY_CODE.get(problem["code"]) or _BY_STATUS.get(status, errors.InputError)
    hint = _SIGN_IN if status == 401 and not problem["hint"] else ""
    return _as(kind, problem, problem["message"], hint, retry_after)


def _tree(root: type[errors.JorgeError]) -> dict[str, type[errors.JorgeError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:  # not the server's own, where both live in one process
            found |= _tree(kind)
    return found


_BY_CODE = {
    **_tree(errors.InputError),
    **_tree(errors.AccessError),
    **_tree(errors.SyncError),
    **_tree(errors.NetworkError),
}


def _as(
    kind: type[errors.JorgeError],
    problem: Mapping[str, str],
    message: str,
    hint: str,
    retry_after: float | None = None,
) -> errors.JorgeError:
    fault = kind(
        problem.get("message") or message,
        where=problem.get("where") or "server",
        hint=problem.get("hint") or hint,
        retry_after=retry_after,
    )
    fault.code = problem.get("code") or fault.code  # the server's own, where it is finer than ours
    return fault
