"""What holds this person's store, in one word: this phone, or the computer on which the app's process runs."""

from __future__ import annotations

from typing import Literal

import flet as ft

from views import strings

_PHONES = {ft.PagePlatform.ANDROID, ft.PagePlatform.IOS}


def kind() -> Literal["phone", "computer"]:
    """A browser holds nothing itself: its app runs on the computer that serves it."""
    page = ft.context.page
    return "phone" if page.platform in _PHONES and not page.web else "computer"


def icon() -> ft.IconData:
    return ft.Icons.SMARTPHONE if kind() == "phone" else ft.Icons.COMPUTER


def t(key: str, **values: object) -> str:
    """The sentence of `key` with its {device}: "this phone"."""
    return strings.t(key, device=_word(), **values)


def count(key: str, n: int, **values: object) -> str:
    """The sentence for a number with its {device}."""
    return strings.count(key, n, device=_word(), **values)


def _word() -> str:
    return strings.t(f"kit.device.{kind()}")
