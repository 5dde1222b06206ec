"""One look for phone and desktop: colour tokens, text sizes and the themes that are built from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import flet as ft

from views import palettes


class Mode(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What a person may choose about the look; kept on the device."""

    mode: Mode = Mode.LIGHT
    high_contrast: bool = False
    text_scale: float = 1.0


# --- sizes -------------------------------------------------------------------------------------------------------

FONT = "IBM Plex Sans"
FONT_FILE = "fonts/IBMPlexSans.ttf"
WIDE_FROM = 700
TARGET = 48
TARGET_MAIN = 56
GAP_S, GAP, GAP_L, GAP_XL = 8, 12, 16, 24
RADIUS_S, RADIUS, RADIUS_L = 10, 16, 24
CONTENT_MAX = 720

# --- colour tokens: names that the client resolves, so that a change of theme repaints without a render --------------

GROUND = ft.Colors.SURFACE
CARD = ft.Colors.SURFACE_CONTAINER_LOWEST
SUNK = ft.Colors.SURFACE_CONTAINER
RAISED = ft.Colors.SURFACE_CONTAINER_HIGH
TRACK = ft.Colors.SURFACE_CONTAINER_HIGHEST
INK = ft.Colors.ON_SURFACE
INK_SOFT = ft.Colors.ON_SURFACE_VARIANT
LINE = ft.Colors.OUTLINE_VARIANT
LINE_STRONG = ft.Colors.OUTLINE
BRAND = ft.Colors.PRIMARY
ON_BRAND = ft.Colors.ON_PRIMARY
BRAND_SOFT = ft.Colors.PRIMARY_CONTAINER
ON_BRAND_SOFT = ft.Colors.ON_PRIMARY_CONTAINER
ACCENT = ft.Colors.SECONDARY
ACCENT_SOFT = ft.Colors.SECONDARY_CONTAINER
ON_ACCENT_SOFT = ft.Colors.ON_SECONDARY_CONTAINER
GOOD = ft.Colors.TERTIARY
GOOD_SOFT = ft.Colors.TERTIARY_CONTAINER
ON_GOOD_SOFT = ft.Colors.ON_TERTIARY_CONTAINER
BAD = ft.Colors.ERROR
ON_BAD = ft.Colors.ON_ERROR
BAD_SOFT = ft.Colors.ERROR_CONTAINER
ON_BAD_SOFT = ft.Colors.ON_ERROR_CONTAINER
WARN_SOFT = ft.Colors.SECONDARY_FIXED
ON_WARN_SOFT = ft.Colors.ON_SECONDARY_FIXED
SHADOW = ft.Colors.SHADOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A pair of colours that belong together: a soft ground and the ink on it."""

    ground: str
    ink: str


PLAIN = Tone(ground=SUNK, ink=INK_SOFT)
BRANDED = Tone(ground=BRAND_SOFT, ink=ON_BRAND_SOFT)
GOOD_TONE = Tone(ground=GOOD_SOFT, ink=ON_GOOD_SOFT)
WARN_TONE = Tone(ground=WARN_SOFT, ink=ON_WARN_SOFT)
BAD_TONE = Tone(ground=BAD_SOFT, ink=ON_BAD_SOFT)

TEMPERATURE_TONES = {
    "hot": Tone(ground=ft.Colors.PRIMARY_FIXED, ink=ft.Colors.ON_PRIMARY_FIXED),
    "warm": Tone(ground=ft.Colors.SECONDARY_FIXED, ink=ft.Colors.ON_SECONDARY_FIXED),
    "lukewarm": Tone(ground=ft.Colors.TERTIARY_FIXED, ink=ft.Colors.ON_TERTIARY_FIXED),
    "cold": Tone(ground=ft.Colors.PRIMARY_FIXED_DIM, ink=ft.Colors.ON_PRIMARY_FIXED_VARIANT),
    "ice_cold": Tone(ground=ft.Colors.SECONDARY_FIXED_DIM, ink=ft.Colors.ON_SECONDARY_FIXED_VARIANT),
}

# --- text: at least 16 sp, but for what repeats a value that stands beside it -------------------------------------------

_SIZES = {
    "display_large": (40, ft.FontWeight.W_700, -0.8),
    "display_medium": (32, ft.FontWeight.W_700, -0.5),
    "display_small": (26, ft.FontWeight.W_700, -0.3),
    "headline_small": (22, ft.FontWeight.W_700, -0.2),
    "title_large": (20, ft.FontWeight.W_700, -0.1),
    "title_medium": (17, ft.FontWeight.W_600, 0.0),
    "title_small": (16, ft.FontWeight.W_600, 0.0),
    "body_large": (17, ft.FontWeight.W_400, 0.0),
    "body_medium": (16, ft.FontWeight.W_400, 0.0),
    "body_small": (14, ft.FontWeight.W_500, 0.1),
    "label_large": (16, ft.FontWeight.W_600, 0.1),
    "label_medium": (14, ft.FontWeight.W_600, 0.1),
    "label_small": (13, ft.FontWeight.W_600, 0.2),
}


def _text(scale: float, ink: str) -> ft.TextTheme:
    styles = {
        name: ft.TextStyle(
            size=round(size * scale, 1), weight=weight, letter_spacing=spacing, color=ink, font_family=FONT
        )
        for name, (size, weight, spacing) in _SIZES.items()
    }
    return ft.TextTheme(**styles)


def build(palette: dict[str, str], text_scale: float = 1.0) -> ft.Theme:
    """The Flet theme of a palette."""
    return ft.Theme(
        color_scheme=ft.ColorScheme(**palette),
        font_family=FONT,
        text_theme=_text(text_scale, palette["on_surface"]),
        scaffold_bgcolor=palette["surface"],
        use_material3=True,
        visual_density=ft.VisualDensity.STANDARD,
        page_transitions=_calm_transitions(),
        divider_theme=ft.DividerTheme(color=palette["outline_variant"], thickness=1, space=1),
        navigation_bar_theme=ft.NavigationBarTheme(
            label_text_style=ft.TextStyle(
                size=13, weight=ft.FontWeight.W_600, color=palette["on_surface"], font_family=FONT
            )
        ),
        snackbar_theme=ft.SnackBarTheme(
            behavior=ft.SnackBarBehavior.FLOATING,
            shape=ft.RoundedRectangleBorder(radius=RADIUS),
            content_text_style=ft.TextStyle(size=16 * text_scale, color=palette["on_inverse_surface"]),
        ),
    )


def _calm_transitions() -> ft.PageTransitionsTheme:
    fade = ft.PageTransitionTheme.FADE_FORWARDS
    return ft.PageTransitionsTheme(
        android=fade, ios=ft.PageTransitionTheme.CUPERTINO, linux=fade, macos=fade, windows=fade
    )


_FLET_MODES = {
    Mode.SYSTEM: ft.ThemeMode.SYSTEM,
    Mode.LIGHT: ft.ThemeMode.LIGHT,
    Mode.DARK: ft.ThemeMode.DARK,
}


def apply(page: ft.Page, appearance: Appearance) -> None:
    """Dresses the page: both themes are set, the mode chooses."""
    strong = appearance.high_contrast
    page.fonts = {FONT: FONT_FILE}
    page.theme = build(palettes.LIGHT_STRONG if strong else palettes.LIGHT, appearance.text_scale)
    page.dark_theme = build(palettes.DARK_STRONG if strong else palettes.DARK, appearance.text_scale)
    page.theme_mode = _FLET_MODES[appearance.mode]
    page.bgcolor = GROUND
    page.padding = 0
