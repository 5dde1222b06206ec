"""Additive measures: the columns of the aggregates, what fact each is counted from, and how.

The same as the table `bi_measures` of the database, which makes its triggers from it; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`expression` counts it over rows of `fact`; whole numbers only, so that taking away never drifts."""

    name: str
    fact: str
    expression: str
    about: str


LEADS = "fact_lead_interactions"
BOTS = "fact_bot_performance"
TALKS = "fact_bot_conversations"
MONEY = "fact_commission_events"

_ALL = (
    Measure(name="interactions", fact=LEADS, expression="count(*)", about="Anything that happened with a lead."),
    Measure(name="inbound", fact=LEADS, expression="count(*) FILTER (WHERE direction = 'inbound')", about="From the lead."),
    Measure(name="outbound", fact=LEADS, expression="count(*) FILTER (WHERE direction = 'outbound')", about="To the lead."),
    Measure(name="messages", fact=LEADS, expression="count(*) FILTER (WHERE event_type = 'message')", about="Messages, either way."),
    Measure(name="calls", fact=LEADS, expression="count(*) FILTER (WHERE event_type = 'call')", about="Calls, either way."),
    Measure(name="meetings", fact=LEADS, expression="count(*) FILTER (WHERE event_type IN ('visit', 'showing', 'open_house'))", about="Visits, showings and open houses."),
    Measure(name="stage_changes", fact=LEADS, expression="count(*) FILTER (WHERE event_type = 'stage_changed')", about="Moves from stage to stage."),
    Measure(name="hot", fact=LEADS, expression="count(*) FILTER (WHERE temperature = 'hot')", about="Interactions with a lead that was hot then."),
    Measure(name="warm", fact=LEADS, expression="count(*) FILTER (WHERE temperature = 'warm')", about="… warm then."),
    Measure(name="lukewarm", fact=LEADS, expression="count(*) FILTER (WHERE temperature = 'lukewarm')", about="… lukewarm then."),
    Measure(name="cold", fact=LEADS, expression="count(*) FILTER (WHERE temperature = 'cold')", about="… cold then."),
    Measure(name="ice_cold", fact=LEADS, expression="count(*) FILTER (WHERE temperature = 'ice_cold')", about="… ice cold then."),
    Measure(name="bot_events", fact=BOTS, expression="count(*)", about="Anything a bot reported."),
    Measure(name="turns", fact=BOTS, expression="count(*) FILTER (WHERE event_type = 'turn')", about="What a bot said."),
    Measure(name="replies", fact=BOTS, expression="count(*) FILTER (WHERE replied)", about="Turns that answer a reply of the lead."),
    Measure(name="timed_turns", fact=BOTS, expression="count(processing_us) FILTER (WHERE event_type = 'turn')", about="Turns that say how long they took."),
    Measure(name="turns_us", fact=BOTS, expression="sum(processing_us) FILTER (WHERE event_type = 'turn')", about="How long those took together."),
    Measure(name="scored", fact=BOTS, expression="count(processing_us) FILTER (WHERE event_type = 'scored')", about="Scorings that say how long they took."),
    Measure(name="scored_us", fact=BOTS, expression="sum(processing_us) FILTER (WHERE event_type = 'scored')", about="How long those took together."),
    Measure(name="bot_errors", fact=BOTS, expression="count(*) FILTER (WHERE event_type = 'error')", about="Faults a bot reported."),
    Measure(name="handoffs", fact=BOTS, expression="count(*) FILTER (WHERE event_type = 'handoff')", about="Conversations given to another bot."),
    Measure(name="confident", fact=BOTS, expression="count(confidence_bp)", about="Events that say how sure the bot was."),
    Measure(name="confidence_bp", fact=BOTS, expression="sum(confidence_bp)", about="How sure, together, in hundredths of a percent."),
    Measure(name="rated", fact=BOTS, expression="count(quality_bp)", about="Events that say how good the conversation was."),
    Measure(name="quality_bp", fact=BOTS, expression="sum(quality_bp)", about="How good, together."),
    Measure(name="conversations", fact=TALKS, expression="count(*)", about="Conversations with at least one reply, at the time of the first."),
    Measure(name="qualified", fact=TALKS, expression="count(qualified_at)", about="Those of them that ended qualified."),
    Measure(name="deals_added", fact=MONEY, expression="sum(added)", about="Deals that came into the ledger."),
    Measure(name="deals_won", fact=MONEY, expression="sum(deals) FILTER (WHERE stage = 'closed')", about="Deals that closed."),
    Measure(name="deals_lost", fact=MONEY, expression="sum(deals) FILTER (WHERE stage = 'lost')", about="Deals that were lost."),
    Measure(name="won_price_cents", fact=MONEY, expression="sum(price_cents) FILTER (WHERE stage = 'closed')", about="Prices of closed deals."),
    Measure(name="won_gross_cents", fact=MONEY, expression="sum(gross_cents) FILTER (WHERE stage = 'closed')", about="Gross commission of closed deals."),
    Measure(name="won_company_cents", fact=MONEY, expression="sum(company_cents) FILTER (WHERE stage = 'closed')", about="What the brokerage keeps of it."),
)  # fmt: skip
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
"""In the order of the columns."""

MOMENT: Mapping[str, str] = {
    LEADS: "occurred_at",
    BOTS: "occurred_at",
    TALKS: "replied_at",
    MONEY: "occurred_at",
}
"""The moment by which rows of a fact are counted."""
