"""The client's end of a Flet session, without Flutter: it encodes as the wire does and answers what the page asks."""

from __future__ import annotations

import asyncio
from typing import Any

import flet as ft
import msgpack  # type: ignore[import-untyped]
from flet.messaging.connection import Connection
from flet.messaging.protocol import Message, MessageAction, configure_encode_object_for_msgpack
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

Answers = dict[str, Any]


class Client(Connection):
    """Encodes every message as the wire would (that seeds Flet's diffs) and answers the calls of the page."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.loop = asyncio.get_running_loop()
        self.pubsubhub = PubSubHub(self.loop)
        self.page_url = "http://127.0.0.1"
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.octets = 0
        self.crashes: list[str] = []
        self.session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send_message(self, message: Message) -> None:
        self.octets += len(self.encode([message.action, message.body]))
        if message.action == MessageAction.SESSION_CRASHED:
            self.crashes.append(message.body.message)
        if message.action == MessageAction.INVOKE_METHOD:
            task = self.loop.create_task(self._answer(message.body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, body: Any) -> None:
        assert self.session is not None
        arguments = body.args or {}
        self.calls.append((body.name, arguments))
        self.session.handle_invoke_method_results(
            body.control_id, body.call_id, self.answers.get(body.name), None
        )
        if body.name == "push_route":
            await arrive(self.session, arguments["route"])

    @staticmethod
    def encode(thing: object) -> bytes:
        encoded: bytes = msgpack.packb(
            thing,
            default=configure_encode_object_for_msgpack(ft.BaseControl),  # type: ignore[no-untyped-call]
        )
        return encoded


async def arrive(session: Session, route: str) -> None:
    """What the browser says after its address changed."""
    page = session._Session__page  # type: ignore[attr-defined]
    session.apply_page_patch({"route": route})
    await session.dispatch_event(page._i, "route_change", {"route": route})
