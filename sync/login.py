"""Signing in at the server with e-mail and password, and out again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import httpx

from domain import errors
from sync import answers, client, session


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The server's sign-in."""

    http: httpx.AsyncClient

    async def login(self, email: str, password: str) -> session.Grant:
        """Raises: WrongCredentialsError, TooManyTriesError, ForbiddenError, NetworkError."""
        form = {"grant_type": "password", "username": email, "password": password}
        answer = await client.send(self.http, "POST", "/api/auth/login", data=form)
        return session.grant_of(answers.json_of(answer.headers, answer.content))


async def log_out(line: client.Client) -> None:
    """End the sign-in at the server if it answers, and forget the tokens here in any case."""
    with contextlib.suppress(errors.NetworkError, errors.AccessError):
        await line.request("POST", "/api/auth/logout")
    await line.tokens.forget()
