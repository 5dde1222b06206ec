"""Voice review: what was heard, whom it is about, what it changes; nothing is saved before a person says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import flet as ft

from domain import errors
from services import notes, transcription
from services.notes import NoteReview, NoteSaved, NoteState
from views import cells, component, context, device, live, merged, routes, shell, strings, theme
from views.agent import review_lead, review_transcript, review_waiting, review_words
from views.parts import buttons, cards, dialogs, empty_state, proposal_row, toasts, words

_NO_CHOICE: str | None = None
_READY = (NoteState.TRANSCRIBED, NoteState.SAVED)


@component.screen
def review_screen() -> ft.View:
    app = context.use_app()
    page = ft.context.page
    note_id = ft.use_route_params().get("note_id", "")
    service = app.service(notes.Notes)
    lead = cells.use_cell(_NO_CHOICE)
    taken: cells.Cell[Mapping[str, bool]] = cells.use_cell({})

    def read() -> NoteReview | None:
        try:
            return service.review(note_id, lead_id=lead.value)
        except errors.NotFoundError:
            return None

    source = merged.use_merged(app.store, service.progress, app.board)
    review = live.use_live(read, note_id, lead.value, source=source)
    if review is None:
        return shell.frame(strings.t("agent_work.review.title"), _gone(), within=routes.Screen.VOICE)
    chosen = _chosen(review, taken.value)

    def toggle(change_id: str, on: bool) -> None:
        taken.change(lambda old: {**old, change_id: on})

    def save() -> None:
        whom = review.guess.lead_id if review.guess else ""
        saved = service.save(note_id, chosen, whom)
        toasts.show(page, _said(saved, review, len(chosen)))
        app.go(routes.lead(saved.lead_id) if saved.lead_id else routes.VOICE)

    def discard() -> None:
        app.go(routes.VOICE)
        service.delete(note_id)

    ready = review.note.state in _READY
    body = _body(review, chosen, toggle, lead.set, app.service(transcription.Transcription).why_waiting)
    bottom = _bottom(review, len(chosen), save, lambda: _ask(page, discard), ready=ready)
    return shell.frame(strings.t("agent_work.review.title"), body, within=routes.Screen.VOICE, bottom=bottom)


def _chosen(review: NoteReview, taken: Mapping[str, bool]) -> tuple[str, ...]:
    """By id; what needs a lead can't be taken without one."""
    return tuple(
        change.id
        for change in review.proposals
        if taken.get(change.id, change.checked) and not change.why_not
    )


def _body(
    review: NoteReview,
    chosen: tuple[str, ...],
    toggle: Callable[[str, bool], None],
    choose: Callable[[str], None],
    why_waiting: str,
) -> ft.Control:
    if review.note.state not in _READY:
        wait = review_waiting.waiting(review.note, why_waiting, key="waiting")
        return cards.page(wait, review_lead.which_lead(review, choose, key="lead"))
    saved = review.note.state is NoteState.SAVED
    parts: list[ft.Control] = [
        review_lead.which_lead(review, choose, key="lead"),
        review_transcript.transcript(review, locked=saved),
    ]
    if saved:
        return cards.page(_saved(review), parts[1])
    return cards.page(*parts, *_proposals(review, chosen, toggle))


def _saved(review: NoteReview) -> ft.Control:
    name = review.note.lead_name or strings.t("agent_work.voice.no_lead")
    about = cards.stack(
        words.heading(name), words.soft(strings.t("agent_work.review.saved")), gap=0, expand=True
    )
    icon = ft.Icon(ft.Icons.CHECK_CIRCLE, color=theme.GOOD, size=28)
    return cards.card(cards.line(icon, about, gap=theme.GAP))


def _proposals(
    review: NoteReview, chosen: tuple[str, ...], toggle: Callable[[str, bool], None]
) -> list[ft.Control]:
    if not review.proposals:
        return [words.soft(strings.t("agent_work.review.nothing"))]
    outs = [change for change in review.proposals if change.field == review_words.OPT_OUT]
    others = [change for change in review.proposals if change.field != review_words.OPT_OUT]
    drawn = [
        proposal_row.proposal_row(review_words.row_of(change, change.id in chosen), on_toggle=toggle)
        for change in others
    ]
    parts: list[ft.Control] = [_opt_out(change, change.id in chosen, toggle) for change in outs]
    if drawn:
        note = strings.t(
            "agent_work.review.choose_first" if review.guess is None else "agent_work.review.tap"
        )
        parts.append(cards.section(strings.t("agent_work.review.changes"), drawn, note=note, gap=theme.GAP_S))
    return parts


def _opt_out(change: notes.ProposedChange, taken: bool, toggle: Callable[[str, bool], None]) -> ft.Control:
    """Above all else: this person wants no more contact."""
    ink = theme.ON_BAD_SOFT
    rows = [
        cards.line(
            ft.Icon(ft.Icons.DO_NOT_DISTURB_ON_OUTLINED, color=ink),
            words.heading(strings.t("agent_work.review.opt_out"), color=ink, expand=True),
            gap=theme.GAP,
        ),
        words.body(strings.t("agent_work.review.opt_out.text"), color=ink),
        proposal_row.proposal_row(review_words.row_of(change, taken), on_toggle=toggle),
    ]
    return ft.Container(
        cards.stack(*rows), bgcolor=theme.BAD_SOFT, border_radius=theme.RADIUS, padding=theme.GAP_L
    )


def _bottom(
    review: NoteReview, count: int, save: buttons.OnClick, discard: buttons.OnClick, *, ready: bool
) -> ft.Control | None:
    if review.note.state is NoteState.SAVED:
        return open_lead(review.note.lead_id) if review.note.lead_id else None
    drop = buttons.outlined(strings.t("agent_work.review.discard"), discard, id="note-discard")
    keep = buttons.primary(
        strings.count("agent_work.review.save", count),
        save,
        icon=ft.Icons.CHECK,
        id="note-save",
        disabled=not ready,
        expand=True,
    )
    return cards.line(drop, keep, gap=theme.GAP)


@component.component
def open_lead(lead_id: str) -> ft.Control:
    app = context.use_app()
    way = routes.lead(lead_id)
    text = strings.t("sync.parked.open_lead")
    return buttons.primary(text, lambda: app.go(way), icon=ft.Icons.PERSON, id="open-lead", expand=True)


def _said(saved: NoteSaved, review: NoteReview, count: int) -> str:
    if saved.opted_out:
        return strings.t("agent_work.review.done.opt_out")
    name = review.guess.name if review.guess else strings.t("agent_work.voice.no_lead")
    return device.count("agent_work.review.done", count, name=name)


def _ask(page: ft.Page, discard: buttons.OnClick) -> None:
    dialogs.confirm(
        page,
        strings.t("agent_work.review.discard.title"),
        strings.t("agent_work.review.discard.text"),
        yes=strings.t("agent_work.review.discard"),
        on_yes=discard,
        dangerous=True,
    )


def _gone() -> ft.Control:
    return empty_state.empty_state(
        ft.Icons.MIC_OFF_OUTLINED,
        strings.t("agent_work.review.gone.title"),
        strings.t("agent_work.review.gone.text"),
    )
