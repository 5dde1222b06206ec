"""What was heard, to be corrected: other words are read anew."""

from __future__ import annotations

import flet as ft

from services import notes
from services.notes import NoteReview
from views import cells, component, context, strings, theme
from views.agent import save_recording, voice_words
from views.parts import buttons, cards, chips, text_field, words

_NOT_EDITED: str | None = None


@component.component
def transcript(review: NoteReview, *, locked: bool = False) -> ft.Control:
    app = context.use_app()
    typed = cells.use_cell(_NOT_EDITED)

    def keep() -> None:
        if typed.value is not None and typed.value.strip() != review.transcript:
            app.service(notes.Notes).write_transcript(review.note.id, typed.value)
        typed.set(None)

    if typed.value is not None:
        field = text_field.text_field(
            strings.t("agent_work.review.words"), typed.value, on_change=typed.set, lines=5, autofocus=True
        )
        done = buttons.secondary(strings.t("agent_work.review.read_anew"), keep, id="transcript-keep")
        undo = buttons.quiet(strings.t("kit.cancel"), lambda: typed.set(None), id="transcript-cancel")
        return cards.card(cards.stack(field, cards.line(done, undo)))
    rows: list[ft.Control] = [words.body(f"“{review.transcript}”"), _facts(review)]
    edit = buttons.quiet(
        strings.t("agent_work.review.correct"),
        lambda: typed.set(review.transcript),
        icon=ft.Icons.EDIT_OUTLINED,
        id="transcript-edit",
    )
    doings = [] if locked else [edit]
    if review.note.size:
        doings.append(save_recording.save_recording(review.note.id))
    rows.append(cards.line(*doings, wrap=True))
    return cards.card(cards.stack(*rows, gap=theme.GAP_S))


def _facts(review: NoteReview) -> ft.Control:
    length = voice_words.length(review.note)
    parts = [part for part in (length, review.engine) if part]
    return cards.line(
        ft.Icon(ft.Icons.GRAPHIC_EQ, size=18, color=theme.INK_SOFT),
        words.fine(" · ".join(parts)),
        chips.sync_state(review.note.audio_sync),
        wrap=True,
    )
