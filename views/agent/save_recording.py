"""A note's recording into a file of the person's choice; fetched first where somebody else made it."""

from __future__ import annotations

import flet as ft

from services import hearing
from views import cells, component, context, files, live, strings
from views.parts import buttons


@component.component
def save_recording(note_id: str) -> ft.Control:
    app = context.use_app()
    page = ft.context.page
    service = app.service(hearing.Hearing)
    busy = cells.use_cell(False)
    part = live.use_live(lambda: service.progress.of(note_id), note_id, source=service.progress)

    async def save() -> None:
        busy.set(True)
        try:
            name, content = await service.content(note_id)
            await files.hand_out(page, name, content)
        finally:
            busy.set(False)

    fetching = strings.t("agent_work.review.fetching", percent=round((part or 0) * 100))
    text = fetching if part is not None else strings.t("agent_work.review.save_recording")
    return buttons.quiet(
        text, save, icon=ft.Icons.DOWNLOAD_OUTLINED, id="save-recording", disabled=busy.value
    )
