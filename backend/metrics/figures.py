"""What people ask for: figures made of measures, with all that a screen, a query or a channel must know of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.policy import Permission
from domain import kpis
from domain.kpis import TierRule, Unit


class Shape(StrEnum):
    """How a figure is made of its measures."""

    SUM = "sum"
    RATIO = "ratio"
    """The first measure ÷ the second."""
    QUANTILE = "quantile"
    """Of the latencies of one kind of event."""
    STOCK = "stock"
    """What stands at a moment: leads by temperature, the pipeline by stage."""


class Dimension(StrEnum):
    LOCATION = "location"
    BOT = "bot"
    AGENT = "agent"
    STAGE = "stage"
    TEMPERATURE = "temperature"
    SOURCE = "source"
    CHANNEL = "channel"
    EVENT_TYPE = "event_type"
    DAY = "day"
    HOUR = "hour"


class Component(StrEnum):
    """The part of the command centre a figure belongs to; what drill-down calls `component`, and channels send."""

    LEADS = "leads"
    REVENUE = "revenue"
    BOTS = "bots"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`measures`: see `Shape`; `factor` turns their unit into the figure's (µs → ms: 0.001)."""

    name: str
    title: str
    definition: str
    unit: Unit
    shape: Shape
    component: Component
    measures: tuple[str, ...] = ()
    factor: float = 1.0
    quantile: float | None = None
    timed: str | None = None
    dimensions: frozenset[Dimension] = frozenset()
    permission: Permission = Permission.SEE_KPIS
    higher_is_better: bool = True
    tiers: TierRule | None = None
    live: bool = False
    """In the sliding windows, so that channels can send it."""


_WHERE = frozenset({Dimension.LOCATION, Dimension.DAY, Dimension.HOUR})
_BY_BOT = _WHERE | {Dimension.BOT, Dimension.EVENT_TYPE}
_BY_LEAD = _WHERE | {
    Dimension.BOT,
    Dimension.AGENT,
    Dimension.STAGE,
    Dimension.TEMPERATURE,
    Dimension.SOURCE,
    Dimension.CHANNEL,
    Dimension.EVENT_TYPE,
}
_BY_DEAL = frozenset({Dimension.LOCATION, Dimension.DAY, Dimension.AGENT, Dimension.STAGE, Dimension.SOURCE})
_BY_STOCK = frozenset(
    {Dimension.LOCATION, Dimension.AGENT, Dimension.STAGE, Dimension.TEMPERATURE, Dimension.SOURCE}
)


def _count(
    name: str, title: str, definition: str, component: Component, dimensions: frozenset[Dimension]
) -> Figure:
    return Figure(
        name=name,
        title=title,
        definition=definition,
        unit=Unit.COUNT,
        shape=Shape.SUM,
        component=component,
        measures=(name,),
        dimensions=dimensions,
        live=True,
    )


def _money(name: str, title: str, definition: str, unit: Unit = Unit.CENTS) -> Figure:
    return Figure(
        name=name,
        title=title,
        definition=definition,
        unit=unit,
        shape=Shape.SUM,
        component=Component.REVENUE,
        measures=(name,),
        dimensions=_BY_DEAL,
        permission=Permission.SEE_MONEY,
        live=True,
    )


_ALL = (
    Figure(
        name="revenue_pipeline",
        title="Revenue pipeline",
        definition="Net company dollars of all open deals, each times its chance to close; gross is their commission before deductions.",
        unit=Unit.CENTS,
        shape=Shape.STOCK,
        component=Component.REVENUE,
        dimensions=_BY_DEAL - {Dimension.DAY},
        permission=Permission.SEE_MONEY,
        tiers=kpis.CHANGE_TIERS,
    ),
    Figure(
        name="active_leads",
        title="Active leads",
        definition="Leads with a contact or a planned touch within 30 days, not closed, not opted out.",
        unit=Unit.COUNT,
        shape=Shape.STOCK,
        component=Component.LEADS,
        dimensions=_BY_STOCK,
        tiers=kpis.CHANGE_TIERS,
    ),
    Figure(
        name="hot_leads",
        title="Hot leads",
        definition="Active leads with a score of 75 or more; late ones wait for their first answer past 5 minutes.",
        unit=Unit.COUNT,
        shape=Shape.STOCK,
        component=Component.LEADS,
        dimensions=_BY_STOCK,
        tiers=kpis.LATE_TIERS,
    ),
    Figure(
        name="ml_response",
        title="ML response time",
        definition="95 of 100 scorings were answered within this time; the target is 50 ms.",
        unit=Unit.MS,
        shape=Shape.QUANTILE,
        component=Component.BOTS,
        quantile=0.95,
        timed="scored",
        factor=0.001,
        dimensions=_BY_BOT,
        permission=Permission.SEE_BOTS,
        higher_is_better=False,
        tiers=kpis.ML_TIERS,
        live=True,
    ),
    Figure(
        name="bot_success",
        title="Bot success",
        definition="Qualified leads ÷ bot conversations with at least one reply, with the 95 % Wilson interval.",
        unit=Unit.RATIO,
        shape=Shape.RATIO,
        component=Component.BOTS,
        measures=("qualified", "conversations"),
        dimensions=_WHERE | {Dimension.BOT},
        permission=Permission.SEE_BOTS,
        tiers=kpis.BOT_TIERS,
        live=True,
    ),
    Figure(
        name="turn_response",
        title="Answer time of the bots",
        definition="95 of 100 turns of a bot came within this time.",
        unit=Unit.MS,
        shape=Shape.QUANTILE,
        component=Component.BOTS,
        quantile=0.95,
        timed="turn",
        factor=0.001,
        dimensions=_BY_BOT,
        permission=Permission.SEE_BOTS,
        higher_is_better=False,
        live=True,
    ),
    Figure(
        name="conversation_quality",
        title="Conversation quality",
        definition="Mean quality, from 0 to 1, of the events that say one.",
        unit=Unit.RATIO,
        shape=Shape.RATIO,
        component=Component.BOTS,
        measures=("quality_bp", "rated"),
        factor=0.0001,
        dimensions=_BY_BOT,
        permission=Permission.SEE_BOTS,
        live=True,
    ),
    Figure(
        name="bot_confidence",
        title="Bot confidence",
        definition="Mean confidence, from 0 to 1, of the events that say one.",
        unit=Unit.RATIO,
        shape=Shape.RATIO,
        component=Component.BOTS,
        measures=("confidence_bp", "confident"),
        factor=0.0001,
        dimensions=_BY_BOT,
        permission=Permission.SEE_BOTS,
        live=True,
    ),
    Figure(
        name="bot_error_rate",
        title="Bot errors",
        definition="Faults the bots reported ÷ all that they reported.",
        unit=Unit.RATIO,
        shape=Shape.RATIO,
        component=Component.BOTS,
        measures=("bot_errors", "bot_events"),
        dimensions=_BY_BOT,
        permission=Permission.SEE_BOTS,
        higher_is_better=False,
        live=True,
    ),
    _count("conversations", "Conversations", "Bot conversations with at least one reply, at the time of the first.", Component.BOTS, _WHERE | {Dimension.BOT}),
    _count("qualified", "Qualified", "Bot conversations that ended qualified, at the time of their first reply.", Component.BOTS, _WHERE | {Dimension.BOT}),
    _count("bot_events", "Bot events", "Anything a bot reported.", Component.BOTS, _BY_BOT),
    _count("handoffs", "Hand-offs", "Conversations that a bot gave to another.", Component.BOTS, _BY_BOT),
    _count("interactions", "Interactions", "Anything that happened with a lead.", Component.ACTIVITY, _BY_LEAD),
    _count("inbound", "Inbound", "Interactions that came from the lead.", Component.ACTIVITY, _BY_LEAD),
    _count("outbound", "Outbound", "Interactions that went to the lead.", Component.ACTIVITY, _BY_LEAD),
    _count("messages", "Messages", "Messages, either way.", Component.ACTIVITY, _BY_LEAD),
    _count("calls", "Calls", "Calls, either way.", Component.ACTIVITY, _BY_LEAD),
    _count("meetings", "Meetings", "Visits, showings and open houses.", Component.ACTIVITY, _BY_LEAD),
    _money("won_gross_cents", "Revenue", "Gross commission of the deals that closed, by the day they closed."),
    _money("won_company_cents", "Company dollars", "What the brokerage keeps of the commission of the deals that closed."),
    _money("won_price_cents", "Sales volume", "Prices of the deals that closed."),
    _money("deals_won", "Deals closed", "Deals that closed.", Unit.COUNT),
    _money("deals_lost", "Deals lost", "Deals that were lost.", Unit.COUNT),
    _money("deals_added", "New deals", "Deals that came into the pipeline.", Unit.COUNT),
)  # fmt: skip
FIGURES: Mapping[str, Figure] = {figure.name: figure for figure in _ALL}
