"""What the reader of the windows tells of itself; /metrics shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

_NOW = frozenset(
    {
        *("tick_us", "snapshot_bytes", "snapshot_stall_us", "keys", "memory_bytes", "remembered_ids"),
        *("watermark_lag_us", "behind_us", "working"),
    }
)


@dataclass(slots=True)
class Counters:
    """Sums since this process began, but for those that say otherwise."""

    events: int = 0
    """Counted in at least one window."""
    duplicates: int = 0
    late: int = 0
    """Older than the watermark, corrected in their panes."""
    late_events_total: int = 0
    """Older than every window: the facts have them, the windows don't."""
    quarantined: int = 0
    """Further in the future than clocks differ."""
    skipped: int = 0
    """Unreadable, of an unknown office, of a bot too many: the sink says why, in the dead letters."""
    forgotten_ids: int = 0
    """Ids that the memory had no room for any more: repeats of theirs would count again."""
    entries: int = 0
    ticks: int = 0
    tick_us: int = 0
    """How long the last tick that published took."""
    published_rows: int = 0
    snapshots: int = 0
    snapshot_bytes: int = 0
    """Of the last one."""
    snapshot_stall_us: int = 0
    """The longest piece of the last one that nothing else could run in."""
    rebuilds: int = 0
    """Times the windows were made anew from the facts."""
    takeovers: int = 0
    keys: int = 0
    """Now: locations, and bots at locations."""
    memory_bytes: int = 0
    """Now: rings and histograms."""
    remembered_ids: int = 0
    """Now."""
    watermark_lag_us: int = 0
    """Now: our clock less the watermark."""
    behind_us: int = 0
    """Now: age of the newest entry that was read, while older ones wait; 0 when all was read."""
    working: int = 0
    """1 where this process holds the lease."""

    def gauges(self) -> Mapping[str, float]:
        """By name for /metrics: what only grows ends in `_total`."""
        return {
            f"windows_{name}" if name in _NOW else f"windows_{name.removesuffix('_total')}_total": value
            for name, value in asdict(self).items()
        }
