"""Voice capture: the recorder above, this person's notes below; while it records, nothing else."""

from __future__ import annotations

import flet as ft

from views import component, routes, shell, strings, theme
from views.agent import voice_model, voice_notes, voice_recorder
from views.agent.voice_recorder import Hands, Phase
from views.parts import cards


@component.screen
def voice_screen() -> ft.View:
    hands = voice_recorder.use_hands(routes.query().get("lead", ""))
    records = hands.phase.value in (Phase.RECORDING, Phase.KEEPING)
    about = voice_recorder.about_whom(hands.about.value, hands.choose, key="about")
    if records:
        body = cards.page(voice_recorder.running_card(key="running"), about, gap=theme.GAP_XL)
        bottom = voice_recorder.running_buttons(hands)
    else:
        body, bottom = _quiet(hands, about), None
    return shell.frame(strings.t("agent_work.voice.title"), body, tab=routes.Screen.VOICE, bottom=bottom)


def _quiet(hands: Hands, about: ft.Control) -> ft.Control:
    return cards.page(
        voice_recorder.idle(hands),
        cards.stack(about, voice_recorder.pick_file(hands.about.value)),
        cards.stack(voice_model.model_banner(), voice_notes.note_list(), gap=0),
        gap=theme.GAP_XL,
    )
