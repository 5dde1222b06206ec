"""A note without words yet: under way, waiting, silent, or not to be read; its sound is kept in each case."""

from __future__ import annotations

import flet as ft

from services import notes, transcription
from services.notes import NoteItem, NoteState
from views import cells, component, context, strings, theme
from views.agent import voice_model, voice_words
from views.parts import buttons, cards, empty_state, progress, text_field, words


@component.component
def waiting(note: NoteItem, why_waiting: str, key: str = "") -> ft.Control:
    del key
    app = context.use_app()

    def again() -> None:
        app.service(notes.Notes).retry(note.id)
        app.service(transcription.Transcription).nudge()

    state = voice_words.state(note, why_waiting)
    kept = strings.t("agent_work.review.kept", length=voice_words.length(note))
    if note.progress is not None:
        note_ = f"{kept}\n{strings.t('agent_work.review.go_on')}"
        title = strings.t("agent_work.review.transcribing")
        return progress.progress(title, note.progress, note=note_, id="transcribing")
    action = None
    if note.state in (NoteState.FAILED, NoteState.NO_SPEECH):
        text = strings.t("agent_work.note.retry")
        action = buttons.secondary(text, again, icon=ft.Icons.REFRESH, id="note-retry")
    shown = empty_state.empty_state(
        state.icon, state.word, f"{state.more}\n{kept}".strip(), action=action, id=f"note-{note.state}"
    )
    rows: list[ft.Control] = [shown]
    if note.state is NoteState.WAITING:
        rows.append(voice_model.model_banner())
    return cards.stack(*rows, _typed(note.id), gap=theme.GAP_L)


@component.component
def _typed(note_id: str) -> ft.Control:
    """Words by hand where no engine gives any."""
    app = context.use_app()
    text = cells.use_cell("")

    def keep() -> None:
        if text.value.strip():
            app.service(notes.Notes).write_transcript(note_id, text.value)

    field = text_field.text_field(
        strings.t("agent_work.review.type"), text.value, on_change=text.set, lines=3
    )
    button = buttons.outlined(
        strings.t("agent_work.review.use_typed"), keep, id="type-keep", disabled=not text.value.strip()
    )
    hint = words.fine(strings.t("agent_work.review.type_hint"), lines=2)
    return cards.card(cards.stack(field, hint, cards.line(button)))
