"""What a question to the warehouse answers when it can't be answered, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """The one shape of every error."""

    code: str = Field(description="Stable; for programs.", examples=["input"])
    message: str = Field(description="What is wrong, for people.")
    where: str = Field(description="The field, setting or part it is about.")
    hint: str = Field(description="What to do.")


SAID: Mapping[int, str] = {
    401: "Not signed in, or the token has run out (`token_expired`).",
    403: "Your role may not see this, or the location is not yours.",
    422: "A parameter is out of its range, or it would take too long (`too_much`: ask for less); `where` names it.",
    429: "You ask too much; `Retry-After` says when to come again.",
    503: "The database is away; `Retry-After` says when to come again.",
}


def only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems."""
    return {status: {"model": Problem, "description": SAID[status]} for status in statuses}


def answers(example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """An example of the good answer, and the problems."""
    found = only(*SAID)
    found[200] = {"content": {"application/json": {"example": dict(example)}}}
    return found
