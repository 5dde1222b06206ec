"""Voice capture: the recorder above, this person's notes below."""

from __future__ import annotations

import flet as ft

from views import component, routes, shell, strings, theme
from views.agent import voice_model, voice_notes, voice_recorder
from views.parts import cards


@component.screen
def voice_screen() -> ft.View:
    lead_id = routes.query().get("lead", "")
    body = cards.page(
        voice_recorder.recorder(lead_id, key=f"recorder-{lead_id}"),
        voice_model.model_banner(),
        voice_notes.note_list(),
        gap=theme.GAP_XL,
    )
    return shell.frame(strings.t("agent_work.voice.title"), body, tab=routes.Screen.VOICE)
