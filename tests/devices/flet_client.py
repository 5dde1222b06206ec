"""A Flet client without Flutter: a real Session and wire encoding, whose answers a test writes down."""

from __future__ import annotations

import asyncio
from typing import Any

import flet as ft
import msgpack  # type: ignore[import-untyped]
from flet.controls.context import _context_page
from flet.messaging.connection import Connection
from flet.messaging.protocol import Message, MessageAction, configure_encode_object_for_msgpack
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

Answer = Any  # a value, or a function from the call's arguments to a value
SILENCE = object()


class ClientError(str):
    """An answer that stands for what the platform's plug-in says when it fails."""


class ScriptedClient(Connection):
    """Answers each method by name; SILENCE never answers, a ClientError fails as the platform would."""

    def __init__(self, answers: dict[str, Answer], *, web: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.pubsubhub = PubSubHub(asyncio.get_running_loop())
        self.loop = asyncio.get_running_loop()
        self.session = Session(self)
        self.page: ft.Page = self.session._Session__page  # type: ignore[attr-defined]
        self.page.web = web
        self._encode(self.session.get_page_patch())  # type: ignore[no-untyped-call]
        _context_page.set(self.page)
        self._pending: set[asyncio.Task[None]] = set()

    def send_message(self, message: Message) -> None:
        self._encode([message.action, message.body])
        if message.action == MessageAction.INVOKE_METHOD:
            task = self.loop.create_task(self._answer(message.body))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def event(self, control: ft.BaseControl, name: str, data: dict[str, Any]) -> None:
        """What the client sends when something happens on the device."""
        await self.session.dispatch_event(control._i, name, data)

    async def _answer(self, body: Any) -> None:
        await asyncio.sleep(0)
        self.calls.append((body.name, body.args or {}))
        answer = self.answers.get(body.name, ClientError(f"{body.name} is not implemented"))
        result = answer(body.args or {}) if callable(answer) else answer
        if result is SILENCE:
            return
        failed = str(result) if isinstance(result, ClientError) else None
        self.session.handle_invoke_method_results(
            body.control_id, body.call_id, None if failed else result, failed
        )

    @staticmethod
    def _encode(thing: object) -> bytes:
        encode = configure_encode_object_for_msgpack(ft.BaseControl)  # type: ignore[no-untyped-call]
        encoded: bytes = msgpack.packb(thing, default=encode)
        return encoded
