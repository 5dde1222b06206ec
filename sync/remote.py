"""The server at the other end of HTTP, as one side of the `Conversation` and for the machine's requests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from domain import errors, wire
from sync import client, codec
from sync.effects import Ask
from sync.files import Part


class Remote:
    """`line`: the signed-in person's. Each method is one request, with the token renewed once where it doesn't count."""

    def __init__(self, line: client.Client) -> None:
        self.line = line

    async def push(self, push: wire.Push) -> wire.PushAnswer:
        answer: wire.PushAnswer = await self._ask(push)
        return answer

    async def pull(self, ask: wire.PullAsk) -> wire.Page:
        page: wire.Page = await self._ask(ask)
        return page

    async def digests(self, ask: wire.DigestAsk) -> wire.Digests:
        said: wire.Digests = await self._ask(ask)
        return said

    async def rows(self, ask: wire.RowsAsk) -> wire.RangeRows:
        found: wire.RangeRows = await self._ask(ask)
        return found

    async def _ask(self, ask: Ask) -> Any:
        return await self.line.signed(lambda token: self._exchange(token, ask))

    async def once(self, ask: Ask) -> Any:
        """One request with the token that is there. Raises: TokenExpiredError when there is none; codec.message_of's."""
        token = self.line.token()
        try:
            return await self._exchange(token, ask)
        except errors.TokenExpiredError:
            self.line.tokens.drop_access(token)
            raise

    async def _exchange(self, token: str, ask: Ask) -> Any:
        part = await asyncio.to_thread(_read, ask.path, ask.start, ask.size) if isinstance(ask, Part) else b""
        asked = codec.request_of(ask, part=part)
        answer = await client.exchange(
            self.line.http,
            asked.method,
            asked.path,
            headers={"Authorization": f"Bearer {token}", **asked.headers},
            params=asked.params,
            content=asked.body,
        )
        return codec.message_of(ask, answer.status_code, answer.headers, answer.content)


def _read(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            part = file.read(size)
    except OSError as fault:
        raise errors.InputError("The recording is no longer on this device.", where=path.name) from fault
    if not part:
        raise errors.InputError("The recording is no longer whole on this device.", where=path.name)
    return part
