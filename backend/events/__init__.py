"""What bots and other systems send: one struct a stream. JSON Schemas, checks and docs are made from these."""

from backend.events.kinds import (
    STREAMS,
    BotPerformance,
    CommissionEvent,
    Event,
    LeadInteraction,
    SystemHealth,
)

__all__ = ["STREAMS", "BotPerformance", "CommissionEvent", "Event", "LeadInteraction", "SystemHealth"]
