"""The recording that runs in this window: it goes on while other screens are looked at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import flet as ft

from services import notes
from views import context
from views.parts import level_meter


@dataclass(slots=True)
class Running:
    """At most one recording; `levels` are those of the last moments, `asked` = the big microphone was pressed."""

    capture: notes.Capture | None = None
    asked: bool = False
    levels: deque[float] = field(default_factory=lambda: deque(maxlen=level_meter.BARS))

    def about(self, lead_id: str) -> None:
        """Whom the recording under way is about."""
        if self.capture is not None:
            self.capture = replace(self.capture, lead_id=lead_id)


def of(page: ft.Page) -> Running:
    """This window's."""
    return context.of_window(page, Running)


def ask(page: ft.Page) -> None:
    """The big microphone was pressed: the voice screen begins at once."""
    of(page).asked = True
