"""A live socket from its handshake to its end: whether it may come in, who it is, and what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from redis import exceptions as redis_errors
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend import errors as answers
from backend import faults
from backend.api.deps import peer_of
from backend.realtime import channels, lines, messages, sockets
from backend.realtime.audience import Audience, Question, audience_of
from backend.realtime.codes import NOT_ALLOWED, POLICY, RESTARTING, SIGN_IN, TOO_MANY
from backend.realtime.connection import Connection
from backend.realtime.gateway import Gateway
from backend.realtime.members import Point
from backend.realtime.talk import Talk
from backend.services import audit, auth
from domain import errors

if TYPE_CHECKING:
    from backend.actor import Actor
    from backend.realtime.counters import Counters
    from backend.realtime.lines import Line
    from backend.services.auth import Peer

logger = logging.getLogger(__name__)

FIRST_MESSAGE_SECONDS = 10.0
RETRY_AFTER = 5


_FOREIGN_PAGE = {
    "code": "forbidden",
    "message": "This page may not connect.",
    "where": "Origin",
    "hint": "Open the socket from a page of this server, or from an app.",
}
_FULL = {
    "code": "full",
    "message": "No more live connections are taken at this moment.",
    "where": "BI_WEBSOCKET_MAX_CONNECTIONS",
    "hint": "Ask GET /api/bi/… meanwhile, and try again.",
}
_CROWDED = {
    "code": "too_many",
    "message": "There are too many live connections from your address.",
    "where": "BI_WEBSOCKET_MAX_PER_ADDRESS",
    "hint": "Close some.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a route opens: the questions whose first frames come without being asked for. `mistake`: what its address asks wrongly."""

    place: str
    questions: Sequence[Question]
    mistake: str = ""


class _OverError(Exception):
    def __init__(self, code: int, reason: str, counted: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.counted = counted


async def serve(socket: WebSocket, gateway: Gateway, wanted: Wanted) -> None:
    """Until either side ends it."""
    peer = peer_of(socket)
    if await _refused(socket, gateway, peer):
        return
    live = gateway.deps.live
    if wanted.mistake:
        live.refused["question"] += 1
        await socket.accept()
        return await socket.close(POLICY, wanted.mistake)
    live.connections += 1
    live.accepted += 1
    gateway.addresses[peer.address] += 1
    try:
        await socket.accept()
        line = lines.line_of(socket)
    except BaseException:
        _gone(gateway, peer)
        raise
    await line.carry(
        _visit(_Guest(line=line, gateway=gateway, wanted=wanted, peer=peer, proof=sockets.bearer(socket)))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guest:
    """Who came in, before anybody knows who it is. `proof`: the hash of the token in the headers, if there was one."""

    line: Line
    gateway: Gateway
    wanted: Wanted
    peer: Peer
    proof: bytes


async def _visit(guest: _Guest) -> None:
    try:
        await _attended(guest)
    except (WebSocketDisconnect, ConnectionError, RuntimeError) as gone:
        logger.debug("live.gone", extra={"fault": type(gone).__name__})
    finally:
        _gone(guest.gateway, guest.peer)
        await guest.line.end()


def _gone(gateway: Gateway, peer: Peer) -> None:
    gateway.deps.live.connections -= 1
    gateway.forget(peer.address)


async def _refused(socket: WebSocket, gateway: Gateway, peer: Peer) -> bool:
    """Turned away before the handshake is done, with an answer of HTTP."""
    live = gateway.deps.live
    if not sockets.origin_fits(socket):
        reason, answer = "origin", answers.answer(403, _FOREIGN_PAGE)
    elif live.connections >= gateway.most or live.waiting_to_sign_in >= max(8, gateway.most // 2):
        reason, answer = "full", answers.answer(503, _FULL, retry_after=RETRY_AFTER)
    elif gateway.crowded(peer):
        reason, answer = "address", answers.answer(429, _CROWDED, retry_after=RETRY_AFTER)
    else:
        return False
    live.refused[reason] += 1
    logger.warning("live.refused", extra={"reason": reason})
    await socket.send_denial_response(answer)
    return True


async def _attended(guest: _Guest) -> None:
    gateway, wanted = guest.gateway, guest.wanted
    try:
        connection, resume = await _signed_in(guest)
    except _OverError as over:
        gateway.deps.live.refused[over.counted] += 1
        guest.line.hang_up(over.code, over.reason)
        return
    try:
        await gateway.enter(connection)
        points = {_asked(point): Point(point.epoch, point.offset) for point in resume}
        questions = dict.fromkeys((*wanted.questions, *points))
        await gateway.attend(connection, questions)
        for question in questions:
            gateway.subscribe(connection, question, points.get(question))
        await Talk(gateway, connection).listen()
    except errors.TooManyTriesError as fault:
        connection.close(TOO_MANY, fault.message)
    except errors.ForbiddenError:
        connection.close(NOT_ALLOWED, "not for you")
    except errors.InputError as fault:
        connection.close(POLICY, fault.message)
    except (*faults.UNAVAILABLE, redis_errors.RedisError):
        connection.close(RESTARTING, "the server can't go on at this moment")
    finally:
        await gateway.leave(connection)


async def _signed_in(guest: _Guest) -> tuple[Connection, Sequence[messages.Point]]:
    """Raises: _OverError."""
    gateway, wanted, peer = guest.gateway, guest.wanted, guest.peer
    deps, first, proof = gateway.deps, messages.SignIn(), guest.proof
    try:
        if not proof:
            first = await _first_message(guest.line, deps.live)
            proof = await gateway.proof_of(first)
        actor = await auth.actor_behind(deps, proof, peer)
        audience = await _admitted(gateway, actor, wanted)
    except errors.ForbiddenError as fault:
        raise _OverError(NOT_ALLOWED, "not for you", "not_allowed") from fault
    except errors.AccessError as fault:
        raise _OverError(SIGN_IN, "sign in again", "sign_in") from fault
    except (*faults.UNAVAILABLE, redis_errors.RedisError, OSError) as fault:
        raise _OverError(RESTARTING, "the server can't go on at this moment", "unavailable") from fault
    if gateway.persons[actor.id] >= gateway.most_of_person:
        raise _OverError(TOO_MANY, "too many connections of yours", "person")
    if first.resume:
        gateway.returned(actor)
    made = Connection(line=guest.line, actor=actor, proof=proof, place=wanted.place, audience=audience, peer=peer, limits=deps.settings.bi_message_throttle_limits, counters=deps.live)  # fmt: skip
    return made, first.resume


async def _admitted(gateway: Gateway, actor: Actor, wanted: Wanted) -> Audience:
    """What this person sees here. Raises: ForbiddenError, which is written down."""
    try:
        audience = await audience_of(gateway.deps, actor, wanted.place)
        gateway.check(actor, wanted.questions)
    except errors.ForbiddenError:
        seen = {"channels": sorted({question.channel for question in wanted.questions})}
        await audit.record(gateway.deps, actor, action="live", resource="WS", detail=seen, outcome="refused")
        raise
    return audience


async def _first_message(line: Line, live: Counters) -> messages.SignIn:
    """Raises: _OverError."""
    live.waiting_to_sign_in += 1
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            return messages.sign_in_of(await sockets.received(line.receive))
    except TimeoutError as fault:
        raise _OverError(SIGN_IN, "no token came", "sign_in") from fault
    except (msgspec.MsgspecError, ValueError) as fault:
        raise _OverError(SIGN_IN, "the first message must be {ticket} or {token}", "sign_in") from fault
    finally:
        live.waiting_to_sign_in -= 1


def _asked(point: messages.Point) -> Question:
    """Raises: InputError."""
    kind = channels.KINDS[point.channel]
    timeframe = channels.checked(kind, point.timeframe)
    return Question(channel=point.channel, timeframe=timeframe, component=point.component)
