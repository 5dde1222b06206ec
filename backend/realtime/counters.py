"""What the live channels did since the process started: for /ws/bi/metrics and Prometheus."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Counters:
    """Counts only grow, but for those of what is open now. Nothing personal."""

    connections: int = 0
    """Open now."""
    waiting_to_sign_in: int = 0
    """Of them: open, but nobody knows yet who it is."""
    groups: int = 0
    """Audiences that frames are made for now."""
    subscriptions: Counter[str] = field(default_factory=Counter)
    """Open now, by channel."""
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By reason: full, address, person, origin, sign_in, not_allowed."""
    made: Counter[str] = field(default_factory=Counter)
    """Frames that were prepared, by channel."""
    failed: Counter[str] = field(default_factory=Counter)
    """Times that the figures could not be had, by channel."""
    delivered: Counter[str] = field(default_factory=Counter)
    """Frames that were written, by channel."""
    delivered_bytes: int = 0
    coalesced: int = 0
    """Messages that a newer one of the same key took the place of."""
    dropped: int = 0
    """Messages that still waited when their connection closed."""
    slow_closes: int = 0
    resumed: int = 0
    """Clients that went on without a snapshot."""
    strikes: int = 0
    """Messages of clients that could not be understood, or came too fast."""
    rtts: deque[float] = field(default_factory=lambda: deque(maxlen=2_048))
    """Seconds, of the latest pings."""

    def rtt_ms(self) -> Mapping[str, float | None]:
        """Percentiles of the latest round trips; None without one."""
        found = sorted(self.rtts)
        return {
            name: round(found[min(len(found) - 1, int(share * len(found)))] * 1000, 2) if found else None
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        }

    def numbers(self) -> dict[str, float]:
        """For GET /metrics."""
        plain = {
            "connections": self.connections,
            "waiting_to_sign_in": self.waiting_to_sign_in,
            "groups": self.groups,
            "accepted_total": self.accepted,
            "delivered_bytes_total": self.delivered_bytes,
            "coalesced_total": self.coalesced,
            "dropped_total": self.dropped,
            "slow_closes_total": self.slow_closes,
            "resumed_total": self.resumed,
            "strikes_total": self.strikes,
        }
        by = {"delivered_total": self.delivered, "made_total": self.made, "failed_total": self.failed}
        labelled = {
            f'{name}{{channel="{channel or "-"}"}}': count
            for name, of in by.items()
            for channel, count in of.items()
        }
        open_now = {f'subscriptions{{channel="{name}"}}': count for name, count in self.subscriptions.items()}
        refused = {f'refused_total{{reason="{name}"}}': count for name, count in self.refused.items()}
        rtt = {
            f'rtt_ms{{share="{name}"}}': value for name, value in self.rtt_ms().items() if value is not None
        }
        return {**plain, **labelled, **open_now, **refused, **rtt}

    def as_dict(self) -> dict[str, Any]:
        return {
            "connections": self.connections,
            "waiting_to_sign_in": self.waiting_to_sign_in,
            "groups": self.groups,
            "subscriptions": dict(+self.subscriptions),
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "made": dict(self.made),
            "failed": dict(self.failed),
            "delivered": dict(self.delivered),
            "delivered_bytes": self.delivered_bytes,
            "coalesced": self.coalesced,
            "dropped": self.dropped,
            "slow_closes": self.slow_closes,
            "resumed": self.resumed,
            "strikes": self.strikes,
            "rtt_ms": self.rtt_ms(),
        }
