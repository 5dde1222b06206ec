"""The look that a person chose comes back, and a file that can't be read never stops the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from views import theme
from wiring import looks

NIGHT = theme.Appearance(mode=theme.Mode.DARK, high_contrast=True, text_scale=1.3)


def test_a_look_is_kept(tmp_path: Path) -> None:
    kept = looks.Looks(tmp_path / "new" / "look.json")

    kept.keep(NIGHT)

    assert kept.read() == NIGHT


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mode": "sepia"}', '{"mode": "dark"}'])
def test_a_file_that_says_nothing_gives_the_usual_look(content: str, tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    path.write_text(content)

    assert looks.Looks(path).read() == theme.Appearance()


def test_a_look_that_cannot_be_kept_stops_nobody(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    looks.Looks(blocked / "look.json").keep(NIGHT)

    assert looks.Looks(blocked / "look.json").read() == theme.Appearance()
