"""The loudness of the microphone, as bars of the last moments."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft
import flet.canvas as cv

from views import strings, theme
from views.parts import marks

BARS = 32


def _bar(index: int, level: float, step: float, height: float) -> cv.Rect:
    tall = max(4.0, min(1.0, level) * height)
    return cv.Rect(
        index * step + step * 0.2,
        (height - tall) / 2,
        step * 0.6,
        tall,
        border_radius=step * 0.3,
        paint=ft.Paint(color=theme.BRAND if level > 0.02 else theme.LINE_STRONG),
    )


def level_meter(levels: Sequence[float], *, width: float = 320, height: float = 72) -> ft.Control:
    """`levels` are 0 to 1, the newest last; the last 32 are drawn."""
    recent = [0.0] * max(0, BARS - len(levels)) + list(levels[-BARS:])
    step = width / BARS
    shapes: list[cv.Shape] = [_bar(i, level, step, height) for i, level in enumerate(recent)]
    now = recent[-1] * 100
    return marks.picture(
        strings.t("kit.level", percent=f"{now:.0f}"),
        cv.Canvas(shapes=shapes, width=width, height=height),
        identifier="level-meter",
    )
