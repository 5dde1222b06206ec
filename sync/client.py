"""HTTP to the server: base address, tokens, one refresh on 401, and every failure as an error of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx

from domain import errors, wire
from sync import answers, session

T = TypeVar("T")

TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def open_http(base_url: str) -> httpx.AsyncClient:
    """A client for one server. `close` it with `aclose()`."""
    http = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT, trust_env=False)
    for name in ("accept", "connection", "user-agent"):  # bytes of every request that tell our server nothing
        del http.headers[name]
    if "zstd" in http.headers["accept-encoding"]:
        http.headers["accept-encoding"] = "zstd"
    return http


async def send(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> httpx.Response:
    """One request, no retry. Raises: NetworkError, AccessError, SyncError, InputError."""
    answer = await exchange(http, method, path, headers=headers, **parts)
    answers.check(answer.status_code, answer.headers, answer.content)
    return answer


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    **parts: Any,
) -> httpx.Response:
    """One request and whatever answers it. Raises: UnreachableError."""
    ours = {wire.PROTOCOL_HEADER: str(wire.PROTOCOL), wire.SCHEMA_HEADER: str(wire.SCHEMA), **(headers or {})}
    try:
        return await http.request(method, path, headers=ours, **parts)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
        raise errors.UnreachableError(
            "The server's address is wrong.", where=str(http.base_url), hint="Correct it in the settings."
        ) from fault
    except (httpx.RemoteProtocolError, httpx.DecodingError) as fault:
        raise _unreachable(http, "The connection was cut off.") from fault
    except httpx.TimeoutException as fault:
        raise _unreachable(http, "The server does not answer in time.") from fault
    except httpx.RequestError as fault:
        raise _unreachable(http, "The server can't be reached.") from fault


def _unreachable(http: httpx.AsyncClient, message: str) -> errors.UnreachableError:
    return errors.UnreachableError(
        message,
        where=str(http.base_url),
        hint="Work goes on and is saved here; it is sent when the server is back.",
    )


class Client:
    """The signed-in person's line to the server."""

    def __init__(self, http: httpx.AsyncClient, tokens: session.Session) -> None:
        self.http = http
        self.tokens = tokens
        self._refreshing = asyncio.Lock()

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **parts: Any
    ) -> httpx.Response:
        """With the access token. Raises: as `send`."""
        return await self.signed(lambda token: self._send(token, method, path, headers, parts))

    async def signed(self, ask: Callable[[str], Awaitable[T]]) -> T:
        """`ask` with the access token; where it doesn't count (any more), with a fresh one, once. Raises: as `ask`."""
        token = self.tokens.access_token() or await self.refresh()
        try:
            return await ask(token)
        except errors.TokenExpiredError:
            self.tokens.drop_access(token)
            return await ask(await self.refresh())

    async def get_json(self, path: str, **parts: Any) -> dict[str, Any]:
        answer = await self.request("GET", path, **parts)
        return answers.json_of(answer.headers, answer.content)

    async def post_json(self, path: str, body: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
        answer = await self.request("POST", path, json=body, **parts)
        return answers.json_of(answer.headers, answer.content)

    def token(self) -> str:
        """The access token. Raises: TokenExpiredError when there is none that counts: `refresh` it."""
        if token := self.tokens.access_token():
            return token
        raise errors.TokenExpiredError("The access token has run out.", where="sign-in")

    async def refresh(self) -> str:
        """A fresh access token; several askers share one refresh. Raises: TokenExpiredError, NetworkError."""
        async with self._refreshing:
            if token := self.tokens.access_token():
                return token
            body = {"refresh_token": await self.tokens.refresh_token()}
            try:
                answer = await send(self.http, "POST", "/api/auth/refresh", json=body)
            except errors.TokenExpiredError:
                if self.tokens.access_token() is None:
                    raise
            if token := self.tokens.access_token():
                return token  # of whoever signed in while the former sign-in was renewed, or refused
            grant = session.grant_of(answers.json_of(answer.headers, answer.content))
            await self.tokens.accept(grant)
            return grant.access_token

    async def _send(
        self, token: str, method: str, path: str, headers: Mapping[str, str] | None, parts: Mapping[str, Any]
    ) -> httpx.Response:
        signed = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await send(self.http, method, path, headers=signed, **parts)
