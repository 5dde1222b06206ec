"""A waiting change in a person's words: what they did, never what our rules worked out from it."""

from __future__ import annotations

from typing import Any

import pytest

from domain import wire
from storage import outbox, outbox_words


def line(op: wire.Op, patch: dict[str, Any], *, table: str = "leads") -> outbox.Line:
    change = wire.Mutation(
        mid=1,
        group="g",
        table=table,
        row_id="r",
        op=op,
        patch=patch,
        base_ver=0,
        base={},
        edit_ms=0,
        seen_server_ms=0,
    )
    return outbox.Line(
        mutation=change, state=outbox.State.PENDING, urgent=False, attempts=0, code="", message=""
    )


@pytest.mark.parametrize(
    ("op", "table", "patch", "words"),
    [
        (
            wire.Op.PATCH,
            "leads",
            {"price_cents": 1, "score": 71.0, "temperature": "warm"},
            "Changed price of Ann Lee",
        ),
        (wire.Op.PATCH, "leads", {"score": 71.0}, "Changed lead of Ann Lee"),
        (wire.Op.PATCH, "leads", {"timeline_days": 30}, "Changed timeline of Ann Lee"),
        (wire.Op.PATCH, "leads", {"opted_out": True}, "Changed opt-out of Ann Lee"),
        (wire.Op.PATCH, "tasks", {"done_at": "2026-11-22T16:00:00.000Z"}, "Changed done mark of Ann Lee"),
        (wire.Op.PUT, "leads", {"name": "Ann Lee"}, "New lead Ann Lee"),
        (wire.Op.DELETE, "tasks", {}, "Deleted task Ann Lee"),
        (wire.Op.PATCH, "notes", {"transcript": "Hello."}, "Words of a note"),
    ],
)
def test_a_waiting_change_says_what_was_done(
    op: wire.Op, table: str, patch: dict[str, Any], words: str
) -> None:
    assert outbox_words.human(line(op, patch, table=table), {"name": "Ann Lee"}) == words
