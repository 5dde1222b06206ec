"""Speech models: what is here, what can be had, and the download on a person's word."""

from __future__ import annotations

import flet as ft

from domain import errors
from services import settings, transcription
from views import cells, component, context, live, merged, strings, theme
from views.parts import buttons, cards, chips, error_card, formats, words


@component.component
def model_banner() -> ft.Control:
    """Nothing where a model listens already; else why notes wait, and the way to one."""
    app = context.use_app()
    service = app.service(settings.Settings)
    source = merged.use_merged(app.store, service.progress)
    choices = live.use_live(service.speech_models, source=source)
    if any(choice.installed for choice in choices):
        return ft.Container(height=0)
    text = strings.t("agent_work.model.none" if choices else "agent_work.model.no_engine")
    rows: list[ft.Control] = [
        cards.line(
            ft.Icon(ft.Icons.CLOUD_SYNC_OUTLINED, color=theme.ON_WARN_SOFT),
            words.body(text, color=theme.ON_WARN_SOFT, expand=True),
            gap=theme.GAP,
        )
    ]
    if choices:
        rows.append(model_row(choices[0]))
    box = ft.Container(
        cards.stack(*rows), bgcolor=theme.WARN_SOFT, border_radius=theme.RADIUS, padding=theme.GAP_L
    )
    return ft.Container(box, padding=ft.Padding.only(bottom=theme.GAP_XL))


@component.component
def model_list() -> ft.Control:
    """All of them, for the settings."""
    app = context.use_app()
    service = app.service(settings.Settings)
    source = merged.use_merged(app.store, service.progress)
    choices = live.use_live(service.speech_models, source=source)
    if not choices:
        return words.soft(strings.t("agent_work.model.no_engine"))
    return cards.stack(*(model_row(choice, key=choice.name) for choice in choices))


@component.component
def model_row(choice: settings.ModelChoice, key: str = "") -> ft.Control:
    """A model with its size; a failed download says why and goes on where it stopped."""
    del key
    app = context.use_app()
    problem = cells.use_cell("")

    async def fetch() -> None:
        problem.set("")
        try:
            await app.service(settings.Settings).download(choice.name)
        except errors.JorgeError as fault:
            problem.set(" ".join(error_card.explain(fault)))
        else:
            app.service(transcription.Transcription).nudge()

    size = formats.size(choice.size) if choice.size else ""
    about = " · ".join(part for part in (size, choice.note) if part)
    head = ft.Row(
        [
            cards.stack(words.name(choice.name), words.fine(about, lines=2), gap=0, expand=True),
            _state(choice, fetch),
        ]
    )
    lines: list[ft.Control] = [head]
    if choice.progress is not None:
        lines.append(
            ft.ProgressBar(
                value=choice.progress,
                color=theme.BRAND,
                bgcolor=theme.TRACK,
                bar_height=6,
                semantics_label=strings.t("agent_work.model.loading", name=choice.name),
            )
        )
    if problem.value:
        lines.append(words.body(problem.value, color=theme.BAD))
    return cards.card(cards.stack(*lines, gap=theme.GAP_S), padding=theme.GAP)


def _state(choice: settings.ModelChoice, fetch: buttons.OnClick) -> ft.Control:
    if choice.progress is not None:
        return words.label(formats.percent(choice.progress))
    if choice.in_use:
        return chips.chip(strings.t("agent_work.model.in_use"), tone=theme.GOOD_TONE, icon=ft.Icons.HEARING)
    if choice.installed:
        return chips.chip(strings.t("agent_work.model.here"), icon=ft.Icons.CHECK)
    return buttons.secondary(
        strings.t("agent_work.model.get"), fetch, icon=ft.Icons.DOWNLOAD, id=f"model-{choice.name}"
    )
