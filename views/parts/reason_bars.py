"""Why a lead stands where it stands: the points that it lost to each factor, as bars that sum to 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flet as ft

from views import strings, theme
from views.parts import cards, marks, words

_TONES = (theme.ACCENT, theme.GOOD, theme.BRAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One factor: its name, its value in words, how much of it is there (0 to 1), and the points lost to it."""

    label: str
    value: str
    share: float
    lost: float


def shown_points(total: float, reasons: Sequence[Reason]) -> tuple[float, ...]:
    """The points lost with one decimal each, so that they and the shown total sum to exactly 100 (largest remainder)."""
    tenths = 1000 - round(round(total, 1) * 10)  # as the total itself is shown: 98.35 is 98.3
    raw = [reason.lost * 10 for reason in reasons]
    floors = [int(value) for value in raw]
    order = sorted(range(len(raw)), key=lambda i: raw[i] - floors[i], reverse=True)
    for i in order[: max(0, tenths - sum(floors))]:
        floors[i] += 1
    return tuple(value / 10 for value in floors)


def bar(share: float, color: str, *, height: int = 8) -> ft.Control:
    """A track that is filled by `share`."""
    return ft.ProgressBar(
        value=min(1.0, max(0.0, share)),
        color=color,
        bgcolor=theme.TRACK,
        bar_height=height,
        border_radius=height / 2,
    )


def _row(reason: Reason, points: float, color: str) -> ft.Control:
    return ft.Row(
        [
            ft.Container(words.label(reason.label), width=78),
            ft.Container(bar(reason.share, color), expand=True),
            ft.Container(words.fine(reason.value, color=theme.INK), width=84),
            ft.Container(
                ft.Text(
                    f"−{points:.1f}", theme_style=ft.TextThemeStyle.LABEL_MEDIUM, text_align=ft.TextAlign.END
                ),
                width=44,
            ),
        ],
        spacing=theme.GAP_S,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def reason_bars(total: float, reasons: Sequence[Reason]) -> ft.Control:
    """The bars, a row for each factor, and the sum below them."""
    points = shown_points(total, reasons)
    rows = [
        _row(reason, lost, _TONES[i % len(_TONES)])
        for i, (reason, lost) in enumerate(zip(reasons, points, strict=True))
    ]
    terms = " ".join(f"− {lost:.1f}" for lost in points)
    spoken = "; ".join(
        f"{reason.label} {reason.value}, −{lost:.1f}" for reason, lost in zip(reasons, points, strict=True)
    )
    return marks.picture(
        strings.t("kit.reasons.spoken", total=f"{total:.1f}", reasons=spoken),
        cards.stack(*rows, words.fine(f"100 {terms} = {total:.1f}"), gap=6),
        identifier="reason-bars",
    )
