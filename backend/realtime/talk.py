"""What a signed-in client says on a live socket, message by message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from redis import exceptions as redis_errors

from backend import faults
from backend.realtime import channels, messages, sockets
from backend.realtime.audience import Question
from backend.realtime.buckets import Bucket
from backend.realtime.codes import POLICY, SIGN_IN
from backend.realtime.members import Point
from domain import errors

if TYPE_CHECKING:
    from backend.realtime.connection import Connection
    from backend.realtime.gateway import Gateway

MESSAGES_A_MINUTE = 240
STRIKES_A_MINUTE = 20


class Talk:
    """What a signed-in client says, message by message."""

    def __init__(self, gateway: Gateway, connection: Connection) -> None:
        self._gateway = gateway
        self._connection = connection
        self._pace = Bucket(MESSAGES_A_MINUTE, burst=60)
        self._patience = Bucket(STRIKES_A_MINUTE, burst=10)

    async def listen(self) -> None:
        """Raises: WebSocketDisconnect when it is over."""
        loop = asyncio.get_running_loop()
        while not self._connection.closed:
            text = await sockets.received(self._connection.line.receive)
            if not self._pace.take(loop.time()):
                self._strike("too_fast", "Too many messages.", "At most 4 a second in the long run.")
                continue
            try:
                await self._heard(text)
            except (errors.TooManyTriesError, errors.ForbiddenError) as fault:
                self._strike(fault.code, fault.message, fault.hint)
            except errors.AccessError:
                self._connection.close(SIGN_IN, "sign in again")
            except errors.JorgeError as fault:
                self._strike(fault.code, fault.message, fault.hint)
            except (*faults.UNAVAILABLE, redis_errors.RedisError, OSError):
                self._refuse("unavailable", "The server can't do this at this moment.", "Try again.")

    async def _heard(self, text: str) -> None:
        try:
            said = messages.said_of(text)
        except (msgspec.MsgspecError, ValueError) as fault:
            return await self._renewed(text, fault)
        match said:
            case messages.Heartbeat():
                now = self._gateway.deps.clock.now().isoformat()
                self._connection.say(messages.HeartbeatAck(server_time=now, sent_at=said.sent_at))
            case messages.Ack():
                self._connection.acked(said.channel, said.offset)
            case messages.UnsubscribeChannel() | messages.UnsubscribeComponent():
                await self._leave(said)
            case _:
                await self._subscribe(said)

    async def _renewed(self, text: str, fault: Exception) -> None:
        """Perhaps it is a renewal, which has no type."""
        try:
            said = messages.sign_in_of(text)
        except (msgspec.MsgspecError, ValueError):
            said = messages.SignIn()
        if said.token is None and said.ticket is None:
            return self._strike("not_understood", str(fault)[:200], "docs/live.md lists the messages.")
        await self._gateway.renew(self._connection, await self._gateway.proof_of(said))

    async def _subscribe(
        self, said: messages.SubscribeChannel | messages.SubscribeComponent | messages.Resume
    ) -> None:
        point = None
        if isinstance(said, messages.SubscribeComponent):
            kind = channels.of_component(said.component)
            timeframe = channels.checked(kind, said.timeframe)
            question = Question(channel=kind.name, timeframe=timeframe, component=said.component)
        else:
            component = said.component if isinstance(said, messages.Resume) else None
            timeframe = channels.checked(channels.KINDS[said.channel], said.timeframe)
            question = Question(channel=said.channel, timeframe=timeframe, component=component)
            if said.epoch is not None and said.offset is not None:
                point = Point(said.epoch, said.offset)
        await self._gateway.attend(self._connection, [question])
        self._gateway.subscribe(self._connection, question, point)

    async def _leave(self, said: messages.UnsubscribeChannel | messages.UnsubscribeComponent) -> None:
        if isinstance(said, messages.UnsubscribeComponent):
            left = [q for q in self._connection.seats if q.component == said.component]
            told = messages.Unsubscribed(
                channel=channels.of_component(said.component).name, component=said.component
            )
        else:
            left = [q for q in self._connection.seats if q.channel == said.channel]
            told = messages.Unsubscribed(channel=said.channel)
        for question in left:
            await self._gateway.unsubscribe(self._connection, question)
        self._connection.say(told)

    def _strike(self, code: str, message: str, hint: str) -> None:
        self._gateway.deps.live.strikes += 1
        if self._patience.take(asyncio.get_running_loop().time()):
            self._refuse(code, message, hint)
        else:
            self._connection.close(POLICY, "too many mistakes")

    def _refuse(self, code: str, message: str, hint: str) -> None:
        self._connection.say(messages.Error(code=code, message=message, hint=hint))
