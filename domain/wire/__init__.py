"""What device and server say to each other: the messages of sync, their JSON, and their version."""

from __future__ import annotations

from domain.wire.changes import Mutation, Op, Push, PushAnswer, Result, Row, Status
from domain.wire.fields import Json
from domain.wire.pages import Block, Page
from domain.wire.version import MAX_MUTATIONS, MAX_PAGE, PROTOCOL, PROTOCOL_HEADER, check_protocol

__all__ = [
    "MAX_MUTATIONS",
    "MAX_PAGE",
    "PROTOCOL",
    "PROTOCOL_HEADER",
    "Block",
    "Json",
    "Mutation",
    "Op",
    "Page",
    "Push",
    "PushAnswer",
    "Result",
    "Row",
    "Status",
    "check_protocol",
]
