"""The recorder: one big button, the level, the time, whom it is about; sound is on disk from the first second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import flet as ft

from domain import errors
from services import leads, notes
from services.leads import values
from views import cells, component, context, files, live, routes, strings, theme
from views.agent import pick_lead, voice_capture
from views.parts import buttons, cards, chips, dialogs, formats, level_meter, marks, toasts, words

_BIG = 128
_TELL_FROM = 60.0
_LOOK_SECONDS = 1.0


class Phase(StrEnum):
    IDLE = "idle"
    STARTING = "starting"
    RECORDING = "recording"
    KEEPING = "keeping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the buttons do; `phase` and `about` are cells, so that each of them knows the newest."""

    service: notes.Notes
    running: voice_capture.Running
    phase: cells.Cell[Phase]
    about: cells.Cell[str]
    go: Callable[[str], None]
    page: ft.Page

    async def start(self) -> None:
        if self.phase.value is not Phase.IDLE:
            return
        self.phase.set(Phase.STARTING)
        self.running.levels.clear()
        try:
            self.running.capture = await self.service.start(self.about.value)
        except errors.JorgeError:
            self.phase.set(Phase.IDLE)
            raise
        self.phase.set(Phase.RECORDING)
        self.page.run_task(self.keep_in_time, self.running.capture)

    async def keep_in_time(self, capture: notes.Capture) -> None:
        """Ends a recording that grows too long or too large while it can still be kept whole."""
        while (running := self.running.capture) is not None and running.note_id == capture.note_id:
            if why := self.service.limit_reached(capture):
                await self.stop()
                toasts.show(self.page, why, seconds=8)
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def start_if_asked(self) -> None:
        """The big microphone led here."""
        if self.running.asked:
            self.running.asked = False
            await self.start()

    async def stop(self) -> None:
        capture, self.running.capture = self.running.capture, None
        if capture is None:
            return
        self.phase.set(Phase.KEEPING)
        try:
            note_id = await self.service.stop(capture)
        finally:
            self.phase.set(Phase.IDLE)
        self.go(routes.review(note_id))

    async def discard(self) -> None:
        self.running.capture = None
        await self.service.cancel()
        self.phase.set(Phase.IDLE)

    def choose(self, lead_id: str) -> None:
        self.about.set(lead_id)
        self.running.about(lead_id)


def use_hands(lead_id: str) -> Hands:
    """Hook: the recorder of this window; `lead_id` = whom the address names, empty = guessed from the words."""
    app = context.use_app()
    running = voice_capture.of(ft.context.page)
    hands = Hands(
        service=app.service(notes.Notes),
        running=running,
        phase=cells.use_cell(Phase.RECORDING if running.capture else Phase.IDLE),
        about=cells.use_cell(running.capture.lead_id if running.capture else lead_id),
        go=app.go,
        page=ft.context.page,
    )
    ft.use_effect(hands.start_if_asked, [], cleanup=lambda: None)
    return hands


def idle(hands: Hands) -> ft.Control:
    """The big button."""
    starting = hands.phase.value is Phase.STARTING
    button = ft.Container(
        ft.Icon(ft.Icons.MIC, size=56, color=theme.ON_BRAND),
        width=_BIG,
        height=_BIG,
        border_radius=_BIG / 2,
        bgcolor=theme.INK_SOFT if starting else theme.BRAND,
        alignment=ft.Alignment.CENTER,
        ink=True,
        on_click=None if starting else hands.start,
    )
    name = strings.t("agent_work.voice.starting" if starting else "agent_work.voice.record")
    return centred(
        ft.Semantics(identifier="record", button=True, container=True, label=name, content=button),
        words.heading(name),
        _consent(),
    )


def _consent() -> ft.Control:
    return words.soft(strings.t("agent_work.voice.consent"), align=ft.TextAlign.CENTER)


def centred(*rows: ft.Control) -> ft.Control:
    column = ft.Column(
        list(rows), horizontal_alignment=ft.CrossAxisAlignment.CENTER, spacing=theme.GAP, tight=True
    )
    return ft.Container(column, padding=ft.Padding.only(top=theme.GAP_L), alignment=ft.Alignment.CENTER)


@component.component
def running_card(key: str = "") -> ft.Control:
    """Draws itself some eight times in a second; nothing else does."""
    del key
    app = context.use_app()
    live.use_tick(0.12)
    running = voice_capture.of(ft.context.page)
    running.levels.append(app.service(notes.Notes).level())
    capture = running.capture
    seconds = (app.now() - capture.started_at).total_seconds() if capture else 0.0
    word = cards.line(
        ft.Icon(ft.Icons.FIBER_MANUAL_RECORD, color=theme.BAD, size=20),
        words.label(strings.t("agent_work.voice.recording"), color=theme.BAD),
    )
    word.alignment = ft.MainAxisAlignment.CENTER
    clock = ft.Text(
        formats.seconds(max(0.0, seconds)), theme_style=ft.TextThemeStyle.DISPLAY_LARGE, color=theme.INK
    )
    meter = level_meter.level_meter(list(running.levels), width=320, height=96)
    left = app.service(notes.Notes).seconds_left(capture) if capture else _TELL_FROM
    return centred(word, marks.mark("timer", clock), *_ending(left), meter, _consent())


def _ending(left: float) -> list[ft.Control]:
    """In the last minute: how long it may go on; then it is kept by itself."""
    if left >= _TELL_FROM:
        return []
    text = strings.t("sync.recording.left", time=formats.seconds(max(0.0, left)))
    return [
        marks.announced(
            chips.chip(text, tone=theme.WARN_TONE, icon=ft.Icons.TIMER_OUTLINED), identifier="time-left"
        )
    ]


@component.component
def running_buttons(hands: Hands) -> ft.Control:
    """In reach of the thumb."""
    page = ft.context.page
    keeping = hands.phase.value is Phase.KEEPING

    def ask() -> None:
        dialogs.confirm(
            page,
            strings.t("agent_work.voice.discard.title"),
            strings.t("agent_work.voice.discard.text"),
            yes=strings.t("agent_work.voice.discard"),
            on_yes=hands.discard,
            dangerous=True,
        )

    return cards.line(
        buttons.outlined(strings.t("agent_work.voice.discard"), ask, id="discard", disabled=keeping),
        buttons.primary(
            strings.t("agent_work.voice.keeping" if keeping else "agent_work.voice.stop"),
            hands.stop,
            icon=ft.Icons.STOP,
            id="stop",
            disabled=keeping,
            expand=True,
        ),
        gap=theme.GAP,
    )


@component.component
def about_whom(lead_id: str, choose: Callable[[str], None], key: str = "") -> ft.Control:
    """The leads met last, or any other; without a choice the words say it."""
    del key
    app = context.use_app()
    service = app.service(leads.Leads)
    picking = cells.use_cell(False)
    picked = cells.use_cell(("", ""))

    def read() -> tuple[tuple[str, str], ...]:
        recent = service.list(values.Filter(mine=True, open_only=True), sort=values.Sort.LAST_TOUCH, limit=3)
        found = [(item.id, item.name) for item in recent.items]
        if lead_id and lead_id not in dict(found) and lead_id != picked.value[0]:
            found.insert(0, (lead_id, service.view(lead_id).facts.name))
        return tuple(found)

    found = dict(live.use_live(read, lead_id, picked.value, tables=("leads", "interactions")))
    if picked.value[0]:
        found = {picked.value[0]: picked.value[1], **found}

    def take(chosen: str, name: str) -> None:
        picking.set(False)
        picked.set((chosen, name))
        choose(chosen)

    if picking.value:
        return pick_lead.pick_lead(take)
    items = [_chip(strings.t("agent_work.voice.guess"), "", lead_id, choose)]
    items += [_chip(name, found_id, lead_id, choose) for found_id, name in found.items()]
    other = strings.t("agent_work.voice.other")
    items.append(
        chips.choice(other, False, lambda: picking.set(True), id="about-other", icon=ft.Icons.SEARCH)
    )
    label = words.label(strings.t("agent_work.voice.about"), color=theme.INK_SOFT)
    return cards.stack(label, cards.line(*items, wrap=True), gap=theme.GAP_S)


def _chip(name: str, value: str, chosen: str, choose: Callable[[str], None]) -> ft.Control:
    return chips.choice(name, value == chosen, lambda: choose(value), id=f"about-{value or 'guess'}")


@component.component
def pick_file(lead_id: str) -> ft.Control:
    app = context.use_app()
    page = ft.context.page
    busy = cells.use_cell(False)

    async def pick() -> None:
        found = await files.pick_audio(page, strings.t("agent_work.voice.file"))
        if found is None:
            return
        busy.set(True)
        try:
            note_id = await app.service(notes.Notes).attach(found.content, found.name, lead_id)
        finally:
            busy.set(False)
        app.go(routes.review(note_id))

    text = strings.t("agent_work.voice.file_busy" if busy.value else "agent_work.voice.file")
    row = cards.line(
        buttons.quiet(text, pick, icon=ft.Icons.AUDIO_FILE_OUTLINED, id="pick-file", disabled=busy.value)
    )
    row.alignment = ft.MainAxisAlignment.CENTER
    return row
