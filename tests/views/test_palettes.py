"""Words are readable in the sun: every pair of ground and ink has a contrast of 7:1 or more."""

from __future__ import annotations

import pytest

from views import palettes

THEMES = {
    "light": palettes.LIGHT,
    "dark": palettes.DARK,
    "light strong": palettes.LIGHT_STRONG,
    "dark strong": palettes.DARK_STRONG,
}


def _luminance(color: str) -> float:
    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pair", palettes.TEXT_PAIRS, ids="/".join)
def test_words_stand_out_from_their_ground(theme: str, pair: tuple[str, str]) -> None:
    palette = THEMES[theme]

    assert contrast(palette[pair[0]], palette[pair[1]]) >= 7


@pytest.mark.parametrize("theme", THEMES)
def test_the_edge_of_a_field_is_seen(theme: str) -> None:
    palette = THEMES[theme]

    assert contrast(palette["outline"], palette["surface_container_lowest"]) >= 3
