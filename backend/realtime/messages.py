"""What goes over a live socket, both ways: these classes are the protocol, and its JSON Schema is made of them.

docs/live.md tells the story around them; docs/live.schema.json is `schema()`. Fields that nobody here knows are passed over,
so that a newer client may talk to an older server.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Channel = Literal["dashboard", "analytics", "alerts", "bot_performance", "revenue_intelligence"]
Component = Literal["leads", "revenue", "bots", "activity"]
Timeframe = Literal["24h", "7d", "30d", "90d", "1y"]
Secret = Annotated[str, Meta(min_length=1, max_length=512)]
Epoch = Annotated[str, Meta(max_length=64)]
Offset = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]


class Point(Struct, frozen=True):
    """How far a client got in a channel before its line was cut."""

    channel: Channel
    epoch: Epoch
    offset: Offset
    component: Component | None = None
    timeframe: Timeframe | None = None


class SignIn(Struct, frozen=True):
    """The first message, and later a renewal before the access token runs out. One of `ticket` and `token`."""

    ticket: Secret | None = None
    token: Secret | None = None
    resume: Annotated[list[Point], Meta(max_length=20)] = []


class _Said(Struct, frozen=True, tag_field="type"):
    pass


class Heartbeat(_Said, frozen=True, tag="heartbeat"):
    """Answered with `heartbeat_ack`. `sent_at` comes back as it was."""

    sent_at: float | Annotated[str, Meta(max_length=64)] | None = None


class SubscribeChannel(_Said, frozen=True, tag="subscribe_channel"):
    """With `epoch` and `offset`: go on where that was; else the first frame is a snapshot."""

    channel: Channel
    timeframe: Timeframe | None = None
    epoch: Epoch | None = None
    offset: Offset | None = None


class UnsubscribeChannel(_Said, frozen=True, tag="unsubscribe_channel"):
    """All of this socket's questions to the channel."""

    channel: Channel


class SubscribeComponent(_Said, frozen=True, tag="subscribe_component"):
    """One part of the command centre instead of the whole channel."""

    component: Component
    timeframe: Timeframe | None = None


class UnsubscribeComponent(_Said, frozen=True, tag="unsubscribe_component"):
    component: Component


class Resume(_Said, frozen=True, tag="resume"):
    """Go on where an earlier line was cut: what was missed, or a snapshot."""

    channel: Channel
    epoch: Epoch
    offset: Offset
    component: Component | None = None
    timeframe: Timeframe | None = None


class Ack(_Said, frozen=True, tag="ack"):
    """Shown up to here. Not needed; it lets the server see who lags."""

    channel: Channel
    offset: Offset


Said = (
    Heartbeat
    | SubscribeChannel
    | UnsubscribeChannel
    | SubscribeComponent
    | UnsubscribeComponent
    | Resume
    | Ack
)


class _Told(Struct, frozen=True, tag_field="type"):
    pass


class _OfChannel(_Told, frozen=True):
    channel: Channel
    timeframe: Timeframe | None
    component: Component | None
    epoch: str
    offset: int
    as_of: str
    watermark: str | None
    complete: bool


class Snapshot(_OfChannel, frozen=True, tag="snapshot"):
    """All there is to see of a channel; forget what came before."""

    data: msgspec.Raw


class Update(_OfChannel, frozen=True, tag="update"):
    """What changed. `dashboard`, `bot_performance`, `revenue_intelligence`: the whole answer again. `analytics`: the rows
    that changed. `alerts`: the new ones."""

    data: msgspec.Raw


class Resumed(_Told, frozen=True, tag="resumed"):
    """Nothing was missed, or it follows; no snapshot is needed."""

    channel: Channel
    timeframe: Timeframe | None
    component: Component | None
    epoch: str
    offset: int


class Unsubscribed(_Told, frozen=True, tag="unsubscribed"):
    channel: Channel
    component: Component | None = None


class HeartbeatAck(_Told, frozen=True, tag="heartbeat_ack"):
    server_time: str
    sent_at: float | str | None = None


class Quality(_Told, frozen=True, tag="quality"):
    """How well this line does; on a poor one the server sends half as often."""

    quality: Literal["good", "fair", "poor"]


class Error(_Told, frozen=True, tag="error"):
    """This message was not taken; the socket stays."""

    code: str
    message: str
    hint: str = ""


Told = Snapshot | Update | Resumed | Unsubscribed | HeartbeatAck | Quality | Error

sign_in_of = msgspec.json.Decoder(SignIn).decode
"""Raises: msgspec.MsgspecError."""
said_of = msgspec.json.Decoder(Said).decode
"""Raises: msgspec.MsgspecError."""
encode = msgspec.json.Encoder().encode


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every message: `#/$defs/ClientMessage` and `#/$defs/ServerMessage`."""
    (first, said, told), parts = msgspec.json.schema_components(
        [SignIn, Said, Told], ref_template="#/$defs/{name}"
    )
    one_of_two = [{"required": ["ticket"]}, {"required": ["token"]}]
    parts["SignIn"] |= {"anyOf": one_of_two, "not": {"required": ["type"]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Live channels",
        "$defs": dict(sorted(parts.items()))
        | {"ClientMessage": {"anyOf": [first, said]}, "ServerMessage": told},
    }
