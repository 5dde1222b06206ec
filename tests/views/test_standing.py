"""The strip in the frame: one at a time, the gravest."""

from __future__ import annotations

import flet as ft
import pytest

from tests import screen
from tests.views import stage
from views import context, standing

pytestmark = pytest.mark.anyio


def strip(**status: object) -> ft.Control:
    board = context.Board()
    board.update(**status)
    return stage.within(stage.app_context(stage.access(board=board)), standing.status_banners)()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"forced": True, "needs_sign_in": True, "needs_you": 2}, "Offline by your choice"),
        ({"online": False, "needs_sign_in": True, "needs_you": 2}, "The server wants your password again"),
        ({"online": False, "needs_you": 2, "lost": 1}, "2 changes need your decision"),
        ({"needs_you": 2, "lost": 1}, "1 value of yours was replaced"),
        ({"online": False, "waiting": 3, "lost": 1}, "Offline · 3 changes safe on this computer"),
        ({"lost": 1}, "1 value of yours was replaced"),
    ],
)
async def test_one_strip_stands_above_a_screen_and_it_is_the_gravest(
    status: dict[str, object], words: str
) -> None:
    async with screen.drawn(lambda: strip(**status)) as phone:
        assert phone.sees(words)
        strips = {"offline-banner", "sign-in-banner", "needs-you-banner"}
        assert len(strips & set(phone.texts())) == 1


async def test_where_all_is_well_there_is_no_strip() -> None:
    async with screen.drawn(strip) as phone:
        assert phone.texts() == []
