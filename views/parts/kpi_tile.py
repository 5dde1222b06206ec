"""One figure of the business: value, comparison, sparkline, tier, n and "as of"; without data it says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flet as ft

from views import strings, theme
from views.parts import cards, chips, sparkline, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A tile's words and numbers. `value` None = no data yet, and `how` says the way to get some."""

    id: str
    title: str
    value: str | None
    definition: str = ""
    comparison: str = ""
    versus: str = ""
    better: bool | None = None
    trend: tuple[float | None, ...] = ()
    tier: str = ""
    n: str = ""
    as_of: str = ""
    detail: str = ""
    how: str = ""
    is_default: bool = False


_TIERS = {
    "on_track": (ft.Icons.CHECK_CIRCLE_OUTLINE, theme.GOOD_TONE),
    "watch": (ft.Icons.VISIBILITY_OUTLINED, theme.WARN_TONE),
    "off_track": (ft.Icons.REPORT_PROBLEM_OUTLINED, theme.BAD_TONE),
}


def tier(value: str) -> ft.Control:
    """On track, watch, off track: word, icon and colour."""
    icon, tone = _TIERS[value]
    return chips.chip(strings.t(f"kit.tier.{value}"), tone=tone, icon=icon)


_DIRECTIONS = {"+": ft.Icons.ARROW_UPWARD, "−": ft.Icons.ARROW_DOWNWARD}


def _comparison(kpi: Kpi) -> ft.Control:
    ink = theme.INK_SOFT if kpi.better is None else theme.GOOD if kpi.better else theme.BAD
    icon = _DIRECTIONS.get(kpi.comparison[:1])
    parts: list[ft.Control] = [ft.Icon(icon, size=18, color=ink)] if icon else []
    if kpi.comparison:
        parts.append(words.label(kpi.comparison, color=ink))
    if kpi.versus:
        parts.append(words.fine(kpi.versus, lines=2))
    return ft.Row(parts, spacing=6, wrap=True, run_spacing=0)


def _trend(kpi: Kpi) -> str:
    """What the line shows, in words; with how much of it is not known."""
    gaps = kpi.trend.count(None)
    if not gaps:
        return strings.t("kit.kpi.trend", title=kpi.title)
    return strings.count("kit.kpi.trend.gaps", gaps, title=kpi.title, points=len(kpi.trend))


def _figures(kpi: Kpi) -> list[ft.Control]:
    if kpi.value is None:
        return [words.heading(strings.t("kit.no_data"), color=theme.INK_SOFT), words.fine(kpi.how, lines=3)]
    rows: list[ft.Control] = [
        ft.Row(
            [
                words.figure(kpi.value),
                sparkline.sparkline(kpi.trend, label=_trend(kpi)),
            ],
            alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        )
    ]
    if kpi.comparison or kpi.versus:
        rows.append(_comparison(kpi))
    if kpi.detail:
        rows.append(words.soft(kpi.detail, lines=2))
    return rows


def _foot(kpi: Kpi) -> list[ft.Control]:
    small = [part for part in (kpi.n, strings.t("kit.as_of", when=kpi.as_of) if kpi.as_of else "") if part]
    left: list[ft.Control] = [tier(kpi.tier)] if kpi.tier else []
    if kpi.is_default:
        left.append(chips.chip(strings.t("kit.default")))
    if not left and not small:
        return []
    return [
        ft.Row(
            [ft.Row(left, spacing=6, tight=True), words.fine(" · ".join(small))],
            alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
            wrap=True,
            run_spacing=6,
        )
    ]


TILE_HEIGHT = 232


def kpi_grid(kpis: Sequence[Kpi], *, on_open: Callable[[str], None] | None = None) -> ft.Control:
    """Tiles in columns: one on the phone, two from 700 px, three on a desktop."""
    tiles: list[ft.Control] = [
        ft.Container(
            kpi_tile(kpi, on_open=on_open, height=TILE_HEIGHT),
            col={"xs": 12, "md": 6, "lg": 4},
            key=kpi.id,
        )
        for kpi in kpis
    ]
    return ft.ResponsiveRow(tiles, spacing=theme.GAP, run_spacing=theme.GAP)


def kpi_tile(
    kpi: Kpi, *, on_open: Callable[[str], None] | None = None, height: int | None = None
) -> ft.Control:
    """A touch drills into the figure; tiles of one row get the same `height` (196 holds everything)."""
    title = ft.Row(
        [
            words.name(kpi.title, color=theme.INK_SOFT, expand=True),
            *([ft.Icon(ft.Icons.CHEVRON_RIGHT, size=20, color=theme.INK_SOFT)] if on_open else []),
        ],
        height=24,
    )
    spoken = ", ".join(
        p for p in (kpi.title, kpi.value or strings.t("kit.no_data"), kpi.comparison, kpi.versus) if p
    )
    body = cards.card(
        ft.Column(
            [cards.stack(title, *_figures(kpi), gap=theme.GAP_S), *_foot(kpi)],
            alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            spacing=theme.GAP_S,
        ),
        on_click=(lambda: on_open(kpi.id)) if on_open else None,
    )
    body.tooltip = kpi.definition or None
    body.height = height
    return ft.Semantics(
        identifier=f"kpi-{kpi.id}",
        label=spoken,
        button=on_open is not None or None,
        container=True,
        content=body,
    )
