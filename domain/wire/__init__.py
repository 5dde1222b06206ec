"""What device and server say to each other: the messages of sync, their JSON, and their version."""

from __future__ import annotations

from domain.wire.changes import Mutation, Op, Push
from domain.wire.compare import DigestAsk, Digests, RangeRows, RowsAsk, Sum
from domain.wire.conversation import Conversation, PullAsk
from domain.wire.fields import Json
from domain.wire.pages import Block, Change, Page
from domain.wire.results import PushAnswer, Result, Row, Status
from domain.wire.version import (
    DEVICE_HEADER,
    FROM_NOW,
    MAX_MUTATIONS,
    MAX_PAGE,
    PAGE,
    PROTOCOL,
    PROTOCOL_HEADER,
    QUEUE_HEADER,
    SCHEMA,
    SCHEMA_HEADER,
    TIME_HEADER,
    check_protocol,
)

__all__ = [
    "DEVICE_HEADER",
    "FROM_NOW",
    "MAX_MUTATIONS",
    "MAX_PAGE",
    "PAGE",
    "PROTOCOL",
    "PROTOCOL_HEADER",
    "QUEUE_HEADER",
    "SCHEMA",
    "SCHEMA_HEADER",
    "TIME_HEADER",
    "Block",
    "Change",
    "Conversation",
    "DigestAsk",
    "Digests",
    "Json",
    "Mutation",
    "Op",
    "Page",
    "PullAsk",
    "Push",
    "PushAnswer",
    "RangeRows",
    "Result",
    "Row",
    "RowsAsk",
    "Status",
    "Sum",
    "check_protocol",
]
