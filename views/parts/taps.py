"""What a tap chose: out of the event itself, for the control may show older things again by then."""

from __future__ import annotations

from typing import Any

import flet as ft


def chosen(event: ft.Event[Any]) -> Any:
    """The new value, as the client sent it with the event: a bool, an index, a list of segments.

    A client tells of a tap in two messages: first the control's value, then the event. A screen that is drawn between
    the two puts its own value back into the control, and whoever asks the control hears that nothing was tapped.
    """
    return event.data
