"""How a voice note stands, in a word and a colour."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft

from services.notes import NoteItem, NoteState
from views import strings, theme
from views.parts import formats


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What stands on the chip, and a sentence where there is more to say."""

    word: str
    tone: theme.Tone
    icon: ft.IconData
    more: str = ""


def _t(key: str, **values: object) -> str:
    return strings.t(f"agent_work.note.{key}", **values)


def state(note: NoteItem, why_waiting: str) -> State:
    """`why_waiting`: what the transcription says about notes that wait here."""
    match note.state:
        case NoteState.TRANSCRIBED:
            return State(word=_t("ready"), tone=theme.BRANDED, icon=ft.Icons.RATE_REVIEW_OUTLINED)
        case NoteState.NO_SPEECH:
            return State(
                word=_t("silent"),
                tone=theme.WARN_TONE,
                icon=ft.Icons.VOLUME_OFF_OUTLINED,
                more=_t("silent.more"),
            )
        case NoteState.FAILED:
            return State(word=_t("failed"), tone=theme.BAD_TONE, icon=ft.Icons.ERROR_OUTLINE, more=note.error)
        case NoteState.SAVED:
            return State(word=_t("saved"), tone=theme.GOOD_TONE, icon=ft.Icons.CHECK)
    return _waiting(note, why_waiting)


def _waiting(note: NoteItem, why_waiting: str) -> State:
    if note.progress is not None:
        word = _t("transcribing", percent=f"{note.progress * 100:.0f}")
        return State(word=word, tone=theme.BRANDED, icon=ft.Icons.HEARING)
    icon = ft.Icons.CLOUD_SYNC_OUTLINED
    if note.audio_path is None:
        return State(word=_t("elsewhere"), tone=theme.PLAIN, icon=icon, more=_t("elsewhere.more"))
    if why_waiting:
        return State(word=_t("server"), tone=theme.PLAIN, icon=icon, more=_t("server.more"))
    return State(word=_t("queued"), tone=theme.PLAIN, icon=ft.Icons.SCHEDULE)


def length(note: NoteItem) -> str:
    """`0:38 · 1.2 MB`, as far as it is known."""
    parts = [formats.seconds(note.seconds)] if note.seconds is not None else []
    parts += [formats.size(note.size)] if note.size else []
    return " · ".join(parts)
