"""The gallery's pages: real parts, made-up values."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import flet as ft

from views import cells, component, context, routes, shell, theme
from views.parts import (
    banners,
    buttons,
    cards,
    chart,
    chips,
    conflict_card,
    empty_state,
    error_card,
    field_row,
    kpi_tile,
    lamps,
    lead_row,
    level_meter,
    plan_map,
    progress,
    proposal_row,
    reason_bars,
    words,
)

AGENT = context.User(
    id="u1", name="Ada Agent", email="agent1@demo.example", role="agent", locations=("west",)
)
MANAGER = context.User(id="u2", name="Mo Manager", email="manager@demo.example", role="manager")
OFFLINE = context.Status(
    online=False, waiting=3, needs_you=1, as_of=datetime(2026, 11, 22, 10, 42, tzinfo=UTC)
)
ONLINE = context.Status(online=True, as_of=datetime(2026, 11, 22, 10, 42, tzinfo=UTC))
REASONS = (
    reason_bars.Reason(label="Score", value="82", share=0.82, lost=8.1),
    reason_bars.Reason(label="Near", value="≈ 4 min", share=0.72, lost=7.5),
    reason_bars.Reason(label="Urgent", value="12 min left", share=0.9, lost=2.9),
)
LEADS = (
    lead_row.LeadCard(
        id="a",
        name="Lena Albrecht",
        temperature="hot",
        detail="1420 Pine St · wants to sell by June",
        rank=81.5,
        place="≈ 4 min",
        badges=("Qualified",),
        warning="12 min left",
        reasons=REASONS,
    ),
    lead_row.LeadCard(
        id="b",
        name="Marcus Whitfield",
        temperature="warm",
        detail="88 Harbor Ave · budget $620k",
        rank=43.0,
        place="≈ 25 min",
        sync="waiting",
    ),
    lead_row.LeadCard(
        id="c",
        name="Priya Raman",
        temperature="lukewarm",
        detail="Buyer · Ballard",
        rank=37.2,
        place="2.1 mi",
    ),
    lead_row.LeadCard(id="d", name="The Okafor family", temperature="cold", detail="Seller · no address yet"),
    lead_row.LeadCard(
        id="e",
        name="Tom Brandvold",
        temperature="ice_cold",
        detail="Last words 94 days ago",
        sync="needs_you",
    ),
)


@component.screen
def nearby() -> ft.View:
    hot = cells.use_cell(False)
    filters = ft.Row(
        [
            chips.segments({"list": "List", "map": "Map"}, "list", lambda value: None, id="list-or-map"),
            chips.choice(
                "Hot",
                hot.value,
                lambda: hot.set(not hot.value),
                id="hot",
                icon=ft.Icons.LOCAL_FIRE_DEPARTMENT,
            ),
            chips.choice("5 mi", True, lambda: None, id="radius"),
        ],
        wrap=True,
    )
    rows = [lead_row.lead_row(lead, _open) for lead in LEADS]
    body = cards.page(
        filters,
        *rows,
        buttons.quiet("Widen to 10 mi (6 more)", lambda: None, icon=ft.Icons.ADD),
        gap=theme.GAP,
    )
    return shell.frame("Nearby", body, tab=routes.Screen.NEARBY)


def _open(lead_id: str) -> None:
    ft.context.page.navigate(routes.lead(lead_id, under=routes.NEARBY))


@component.screen
def lead() -> ft.View:
    async def save(text: str) -> None:
        if not text:
            raise ValueError("empty")

    body = cards.page(
        cards.card(
            cards.stack(
                cards.line(words.big("Lena Albrecht")),
                cards.line(chips.temperature("hot"), chips.chip("Seller")),
                reason_bars.reason_bars(81.5, REASONS),
            )
        ),
        cards.section(
            "Facts",
            [
                field_row.field_row("Price", "$690,000", save),
                field_row.field_row("Motivation", "", save, hint="Why, and where to?", state="waiting"),
            ],
        ),
    )
    bottom = ft.Row(
        [
            buttons.primary("Call", lambda: None, icon=ft.Icons.CALL, expand=True),
            buttons.secondary("Text", lambda: None, icon=ft.Icons.CHAT_BUBBLE_OUTLINE),
            buttons.secondary("Go", lambda: None, icon=ft.Icons.NAVIGATION_OUTLINED),
        ]
    )
    return shell.frame("Lead", body, within=routes.Screen.NEARBY, bottom=bottom)


PROPOSALS = (
    proposal_row.Proposal(
        id="1",
        field="Timeline",
        old="",
        new="30 June",
        heard="wants to sell by end of June",
        confidence=0.94,
        taken=True,
    ),
    proposal_row.Proposal(
        id="2",
        field="Price",
        old="$690,000",
        new="$640,000",
        heard="would take six forty",
        confidence=0.81,
        taken=True,
    ),
    proposal_row.Proposal(
        id="3",
        field="Motivation",
        old="?",
        new="new job",
        heard="something about a job",
        confidence=0.52,
        taken=False,
    ),
)


@component.screen
def voice() -> ft.View:
    wave = [abs(math.sin(i / 2.3)) * (0.3 + 0.7 * (i % 7) / 7) for i in range(32)]
    body = cards.page(
        cards.card(
            cards.stack(
                ft.Row([words.name("Lena Albrecht", expand=True), words.figure("0:38")]),
                level_meter.level_meter(wave),
                gap=theme.GAP,
            )
        ),
        progress.progress(
            "Writing down what you said",
            0.62,
            note="On this computer, nothing is sent.",
            on_cancel=lambda: None,
        ),
        cards.section(
            "Proposed changes",
            [proposal_row.proposal_row(p, on_toggle=lambda id, taken: None) for p in PROPOSALS],
            note="Tap to drop.",
        ),
    )
    bottom = ft.Row(
        [
            buttons.outlined("Discard", lambda: None),
            buttons.primary("Save 2 changes", lambda: None, icon=ft.Icons.CHECK, expand=True),
        ]
    )
    return shell.frame("Voice note", body, tab=routes.Screen.VOICE, bottom=bottom)


CONFLICT = conflict_card.Conflict(
    id="1",
    lead="Marcus Whitfield",
    field="Budget",
    one=conflict_card.Side(title="Yours", value="$620,000", when="today 09:55", take="Take mine"),
    other=conflict_card.Side(
        title="Kim Park", value="$650,000", when="today 10:20", take="Keep Kim Park's", counts=True
    ),
    effect="Score 71 → 74 with Kim Park's value.",
)


@component.screen
def sync() -> ft.View:
    body = cards.page(
        lamps.beside(
            lamps.lamp(
                ft.Icons.SMARTPHONE, theme.GOOD, "Safe on this computer", ["3 changes wait here"], id="one"
            ),
            lamps.lamp(
                ft.Icons.CLOUD_QUEUE, theme.ACCENT, "Safe on the server", ["Not everything yet"], id="two"
            ),
        ),
        cards.section(
            "Needs you", [conflict_card.conflict_card(CONFLICT, on_choose=lambda id, choice: None)]
        ),
        error_card.error_card(None, on_retry=lambda: None),
        cards.card(
            empty_state.empty_state(
                ft.Icons.DONE_ALL,
                "Nothing waits",
                "All changes are on the server.",
                action=buttons.secondary("Export the queue", lambda: None),
            )
        ),
    )
    return shell.frame(
        "Sync",
        body,
        tab=routes.Screen.SYNC,
        bottom=ft.Row([buttons.primary("Send now", lambda: None, icon=ft.Icons.SEND, expand=True)]),
    )


KPI = kpi_tile.Kpi(
    id="pipeline",
    title="Weighted pipeline",
    value="$412k",
    comparison="+8 %",
    versus="vs day 12 of 30",
    better=True,
    trend=(3, 4, 3.6, 5, 5.4, 6.1, 6, 7.2),
    tier="on_track",
    n="n = 63",
    as_of="14:03",
    definition="Σ P(close) · net company dollars",
)
KPIS = (
    KPI,
    replace(
        KPI,
        id="active",
        title="Active leads",
        value="318",
        comparison="−3 %",
        better=False,
        trend=(7, 6.8, 6, 6.2, 5.9, 5.5),
        tier="watch",
        detail="27 hot · 96 warm · 195 cold",
    ),
    replace(
        KPI,
        id="hot",
        title="Hot leads",
        value="27",
        comparison="+5",
        trend=(2, 2, 3, None, None, 3, 4, 5),
        tier="off_track",
        detail="2 past the answer clock",
    ),
    replace(
        KPI,
        id="bots",
        title="Bot success",
        value="61 %",
        comparison="(56–66)",
        better=None,
        trend=(1, 3, 2, 3, 3, 4),
        tier="on_track",
        n="n = 402",
    ),
    kpi_tile.Kpi(id="ml", title="ML response time", value=None, how="Comes with the first scored lead."),
)


@component.screen
def command() -> ft.View:
    app = context.use_app()
    tiles = kpi_tile.kpi_grid(KPIS, on_open=lambda id: None)
    return shell.frame("Command centre", cards.page(tiles, wide=app.wide), tab=routes.Screen.COMMAND)


@component.screen
def tasks() -> ft.View:
    body = cards.page(
        *(buttons_row() for _ in range(1)),
        cards.line(
            *(chips.temperature(t) for t in ("hot", "warm", "lukewarm", "cold", "ice_cold", "")), wrap=True
        ),
        cards.line(
            *(chips.sync_state(t) for t in ("on_phone", "waiting", "sending", "on_server", "needs_you")),
            wrap=True,
        ),
        cards.line(*(kpi_tile.tier(t) for t in ("on_track", "watch", "off_track")), wrap=True),
        banners.demo_badge(),
    )
    return shell.frame("Tasks", body, tab=routes.Screen.TASKS)


def buttons_row() -> ft.Control:
    return ft.Row(
        [
            buttons.primary("Primary", lambda: None),
            buttons.secondary("Secondary", lambda: None),
            buttons.outlined("Outlined", lambda: None),
            buttons.quiet("Quiet", lambda: None),
            buttons.danger("Danger", lambda: None),
            buttons.icon(ft.Icons.CALL, "Call", lambda: None),
            buttons.primary("Disabled", None, disabled=True),
        ],
        wrap=True,
    )


@component.screen
def leads() -> ft.View:
    body = cards.page(
        empty_state.empty_state(
            ft.Icons.PEOPLE_OUTLINE,
            "No leads yet",
            "Downloading your area 62 %, you can start.",
            action=buttons.primary("Add a lead", lambda: None, icon=ft.Icons.ADD),
        )
    )
    return shell.frame("Leads", body, tab=routes.Screen.LEADS)


MONTHS = [f"2026-{m:02d}-01" for m in range(1, 12)]
ACTUAL = [310, 342, 330, 371, 402, 398, 431, 470]
FIGURE = {
    "data": [
        {
            "type": "scatter",
            "name": "",
            "x": MONTHS[7:],
            "y": [470, 500, 520, 548],
            "line": {"width": 0, "color": "#0B5A4E"},
        },
        {
            "type": "scatter",
            "name": "80 % band",
            "x": MONTHS[7:],
            "y": [470, 430, 415, 402],
            "fill": "tonexty",
            "line": {"width": 0, "color": "#0B5A4E"},
        },
        {"type": "scatter", "name": "Actual", "x": MONTHS[:8], "y": ACTUAL, "mode": "lines+markers"},
        {
            "type": "scatter",
            "name": "Expected",
            "x": MONTHS[7:],
            "y": [470, 466, 470, 478],
            "line": {"dash": "dash"},
        },
    ],
    "layout": {"title": {"text": "Net revenue"}, "yaxis": {"tickprefix": "$", "ticksuffix": "k"}},
}
BARS = {
    "data": [
        {
            "type": "bar",
            "name": "Hot",
            "x": ["Zillow", "Referral", "Open house", "Sign call"],
            "y": [12, 7, 5, 3],
            "marker": {"color": "#A3190F"},
        },
        {
            "type": "bar",
            "name": "Warm",
            "x": ["Zillow", "Referral", "Open house", "Sign call"],
            "y": [31, 22, 24, 11],
            "marker": {"color": "#B4570B"},
        },
    ],
    "layout": {"title": "Leads by source", "barmode": "stack"},
}


@component.screen
def revenue() -> ft.View:
    app = context.use_app()
    charts = [
        cards.card(chart.chart(FIGURE)),
        cards.card(chart.chart(BARS)),
        cards.card(chart.chart({"data": []}, title="Nothing")),
    ]
    return shell.frame("Revenue", cards.page(*charts, wide=app.wide), tab=routes.Screen.REVENUE)


PINS = (
    plan_map.Pin(id="a", lat=47.618, lon=-122.34, label="Lena Albrecht", tone="hot", number="82"),
    plan_map.Pin(id="b", lat=47.63, lon=-122.30, label="Marcus Whitfield", tone="warm", number="43"),
    plan_map.Pin(id="c", lat=47.59, lon=-122.36, label="Priya Raman", tone="lukewarm", number="37"),
    plan_map.Pin(id="d", lat=47.56, lon=-122.31, label="Okafor", tone="cold", number="21"),
)


@component.screen
def map_screen() -> ft.View:
    body = cards.page(
        ft.Row(
            [plan_map.plan_map((47.61, -122.33), 5, PINS, on_pin=_open, on_point=lambda lat, lon: None)],
            alignment=ft.MainAxisAlignment.CENTER,
        )
    )
    return shell.frame("Map", body, tab=routes.Screen.SEARCH)


SCREENS = {
    routes.Screen.LEADS: leads,
    routes.Screen.SEARCH: map_screen,
    routes.Screen.SETTINGS: leads,
    routes.Screen.ALERTS: leads,
    routes.Screen.REVENUE: revenue,
    routes.Screen.NEARBY: nearby,
    routes.Screen.LEAD: lead,
    routes.Screen.VOICE: voice,
    routes.Screen.SYNC: sync,
    routes.Screen.TASKS: tasks,
    routes.Screen.COMMAND: command,
}
SHOTS = (
    ("nearby", "/nearby"),
    ("lead", "/nearby/lead/a?online=1"),
    ("voice", "/voice?online=1"),
    ("sync", "/sync"),
    ("tasks", "/tasks?online=1"),
    ("command", "/command?user=manager&online=1"),
    ("revenue", "/revenue?user=manager&online=1"),
    ("map", "/search?online=1"),
    ("login", "/nearby?shut=1"),
    ("contrast", "/nearby?contrast=1&online=1"),
    ("large", "/nearby?scale=1.3&online=1"),
)


def wanted(names: list[str]) -> list[tuple[str, str]]:
    """The pages of these names; all when none is named."""
    return [shot for shot in SHOTS if not names or shot[0] in names]
