"""This person's voice notes, newest first, each with how it stands."""

from __future__ import annotations

import flet as ft

from services import notes, transcription
from services.notes import NoteItem, NoteState
from views import component, context, live, merged, routes, strings, theme
from views.agent import voice_words
from views.parts import buttons, cards, chips, formats, words


@component.component
def note_list() -> ft.Control:
    """Its own component, so that a running level meter does not draw it."""
    app = context.use_app()
    service = app.service(notes.Notes)
    hearing = app.service(transcription.Transcription)
    source = merged.use_merged(app.store, service.progress, app.board)
    found = live.use_live(service.list, source=source)
    live.use_tick(60)
    if not found:
        return words.soft(strings.t("agent_work.voice.none"), align=ft.TextAlign.CENTER)
    open_ones = [note for note in found if note.state is not NoteState.SAVED]
    saved = [note for note in found if note.state is NoteState.SAVED]
    parts = []
    for key, items in (("open", open_ones), ("saved", saved)):
        if items:
            rows = [note_row(note, hearing.why_waiting, key=note.id) for note in items]
            parts.append(cards.section(strings.t(f"agent_work.voice.{key}"), rows, gap=theme.GAP_S))
    return cards.stack(*parts, gap=theme.GAP_XL)


@component.component
def note_row(note: NoteItem, why_waiting: str, key: str = "") -> ft.Control:
    del key
    app = context.use_app()
    zone = app.service(notes.Notes).desk.zone()
    state = voice_words.state(note, why_waiting)
    nobody = strings.t("sync.gone.lead" if note.lead_id else "agent_work.voice.no_lead")
    title = note.lead_name or nobody
    when = formats.moment(note.created_at, app.now(), zone)
    facts = " · ".join(part for part in (when, voice_words.length(note)) if part)
    marks_: list[ft.Control] = [chips.chip(state.word, tone=state.tone, icon=state.icon)]
    if note.whole != "on_server":
        marks_.append(chips.sync_state(note.whole))
    lines: list[ft.Control] = [words.name(title), words.fine(facts), cards.line(*marks_, wrap=True)]
    if note.transcript or note.text:
        lines.insert(2, words.soft(f"“{note.transcript or note.text}”", lines=2))
    elif state.more:
        lines.append(words.fine(state.more, lines=3))
    if note.progress is not None:
        lines.append(_bar(note.progress))
    if note.state is NoteState.FAILED:
        lines.append(_retry(note.id))
    return ft.Semantics(
        identifier=f"note-{note.id}",
        button=True,
        container=True,
        label=f"{title}, {when}, {state.word}",
        content=cards.card(cards.stack(*lines, gap=6), on_click=lambda: app.go(routes.review(note.id))),
    )


def _bar(share: float) -> ft.Control:
    return ft.ProgressBar(value=share, color=theme.BRAND, bgcolor=theme.TRACK, bar_height=6, border_radius=3)


@component.component
def _retry(note_id: str) -> ft.Control:
    app = context.use_app()

    def again() -> None:
        app.service(notes.Notes).retry(note_id)
        app.service(transcription.Transcription).nudge()

    return cards.line(
        buttons.secondary(
            strings.t("agent_work.note.retry"), again, icon=ft.Icons.REFRESH, id=f"retry-{note_id}"
        )
    )
