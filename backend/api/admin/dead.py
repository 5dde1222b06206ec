"""Routes for events that could not be stored: /api/admin/dead-letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from backend.actor import Actor
from backend.api.access import Allowed
from backend.api.body import Body, Json
from backend.api.deps import Parts
from backend.policy import Permission
from backend.services import dead_letters
from backend.services.dead_letters import Choice
from backend.stream.dead import Letter
from domain import errors

router = APIRouter(prefix="/api/admin/dead-letters")

Operator = Annotated[Actor, Allowed(Permission.OPERATE)]
_ID = r"^[0-9]{1,19}-[0-9]{1,19}$"
Id = Annotated[str, StringConstraints(pattern=_ID)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{0,60}$")]
Before = Annotated[
    str, Query(pattern=r"^([0-9]{1,19}-[0-9]{1,19})?$", description="`next` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=dead_letters.MOST_A_PAGE)]


class Chosen(Body):
    """`ids`, or every letter of a reason or a stream, or `all`."""

    ids: list[Id] = Field(default_factory=list, max_length=dead_letters.MOST_AT_ONCE)
    reason: Word = ""
    stream: Word = ""
    all: bool = False

    def choice(self) -> Choice:
        """Raises: InputError for a body that names nothing: no mistake should mean "everything"."""
        if not (self.ids or self.reason or self.stream or self.all):
            raise errors.InputError(
                "Nothing is chosen.", where="body", hint='Give `ids`, `reason`, `stream`, or {"all": true}.'
            )
        return Choice(ids=self.ids, reason=self.reason, stream=self.stream)


@router.get("")
async def page(
    deps: Parts,
    actor: Operator,
    *,
    reason: Word = "",
    stream: Word = "",
    before: Before = "",
    limit: Limit = 50,
) -> Json:
    """The newest first, with their payloads; `dropped` counts those that age or number pushed out unread."""
    found = await dead_letters.page(deps, Choice(reason=reason, stream=stream), before=before, limit=limit)
    return {"letters": [_shown(one) for one in found.letters], "next": found.next, **found.counts}


@router.post("/replay")
async def replay(deps: Parts, actor: Operator, body: Chosen) -> Json:
    """Send them again, through every check; those that fail again stay with the new reason. 1,000 a call."""
    done = await dead_letters.replay(deps, body.choice())
    return {"sent": done.sent, "stored": done.stored, "failed": dict(done.failed), "more": done.more}


@router.delete("")
async def remove(deps: Parts, actor: Operator, body: Chosen) -> Json:
    """Remove them for good."""
    return {"removed": await dead_letters.remove(deps, body.choice())}


def _shown(letter: Letter) -> Json:
    return {
        "id": letter.id,
        "stream": letter.stream,
        "reason": letter.reason,
        "message": letter.message,
        "payload": letter.payload.decode(errors="replace"),
        "source": letter.source,
        "at": letter.at.isoformat(),
        "cut": letter.cut,
    }
