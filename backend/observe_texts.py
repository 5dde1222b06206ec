"""What each metric of GET /metrics and /api/metrics is, with its unit: the HELP line by family (a counter's without `_total`).

Whoever adds a metric adds its text here; a test compares this with what the parts export, and docs/operations.md with this.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "jorge_"

_BY_PART: Mapping[str, Mapping[str, str]] = {
    "request": {"seconds": "How long requests took, in seconds, by route (pattern), method and class of status."},
    "stream": {
        "length": "Entries in a stream.",
        "lag": "Entries of a stream that a group has not read yet.",
        "pending": "Entries of a stream that a group has read and not acknowledged yet.",
    },
    "sink": {
        "new": "Events stored as facts.",
        "repeated": "Events that were stored before: they changed nothing.",
        "dead": "Events put with the dead letters.",
        "lost": "Entries that were taken out of their stream before they were read.",
        "taken_over": "Entries taken over from a reader that died.",
        "trimmed": "Entries removed from the streams after they were stored.",
        "batches": "Transactions that stored events.",
        "faults": "Rounds that a fault ended; what they had read is read again.",
        "held": "Entries that nobody could store at the last look: they wait, what comes after them does not.",
        "seconds": "Seconds spent on storing batches.",
        "lag_ms": "Milliseconds from the newest entry of the last batch to its commit.",
    },
    "ingest": {
        "queued": "Events put into the streams.",
        "straight": "Events stored straight in PostgreSQL while Valkey was away.",
        "refused_full": "Times that events were refused with 503 because too much waited for the sink.",
        "waiting_bytes": "Bytes of Valkey's memory that waiting events take.",
    },
    "windows": {
        "events": "Events counted in at least one window.",
        "duplicates": "Events that came again and counted once.",
        "late": "Events older than the watermark, put right in their panes.",
        "late_events": "Events older than every window: the facts have them, the windows don't.",
        "quarantined": "Events further in the future than clocks differ; not counted.",
        "skipped": "Events that can't be read, are of an unknown office or of a bot too many; not counted.",
        "forgotten_ids": "Event ids that memory had no room for: repeats of theirs would count again.",
        "entries": "Entries read from the streams.",
        "ticks": "Times that changes were published.",
        "tick_us": "Microseconds that the last tick with news took.",
        "published_rows": "Rows of figures published.",
        "snapshots": "Snapshots kept in Valkey.",
        "snapshot_bytes": "Bytes of the last snapshot.",
        "snapshot_stall_us": "Microseconds of the last snapshot's longest piece that nothing else could run in.",
        "rebuilds": "Times the windows were made anew from the facts.",
        "takeovers": "Times this process took over the windows' lease.",
        "keys": "Locations, and bots at locations, that windows are kept of.",
        "memory_bytes": "Bytes of memory that rings and histograms take.",
        "remembered_ids": "Event ids held to know repeats by.",
        "watermark_lag_us": "Microseconds from the watermark to this process's clock.",
        "behind_us": "Age in microseconds of the newest entry read while older ones wait; 0 when all was read.",
        "working": "1 where this process holds the windows' lease, else 0.",
    },
    "from_sync": {"aside": "Rows of the app that stopped their way into the warehouse: set aside, and tried again."},
    "rollup": {"ratio": "Facts for each row of the hourly aggregates, by PostgreSQL's estimates."},
    "warehouse": {
        "facts": "Rows of facts, by PostgreSQL's estimate.",
        "hours": "Rows of the hourly aggregates, by PostgreSQL's estimate.",
    },
    "cache": {
        "hits": "Questions answered out of the cache.",
        "misses": "Questions whose answer had to be worked out.",
        "joined": "Questions that waited for the same answer being worked out.",
        "bypassed": "Questions answered past the cache, because nobody knew which answers still were true.",
        "warmed": "Answers worked out before anybody asked.",
        "warmed_then_hit": "Warmed answers that somebody then asked for.",
        "hit_ratio": "Hits ÷ questions since the process began, from 0 to 1.",
        "bucket_hits": "Days and hours of one place that answers took from this process's memory.",
        "bucket_misses": "Days and hours of one place that answers read from the warehouse.",
    },
    "ws": {
        "connections": "Live connections open now.",
        "waiting_to_sign_in": "Live connections open now of which nobody knows yet who it is.",
        "groups": "Audiences that frames are made for now.",
        "subscriptions": "Subscriptions open now, by channel.",
        "accepted": "Live connections accepted.",
        "refused": "Live connections refused, by reason.",
        "made": "Frames prepared, by channel.",
        "failed": "Times that the figures of a channel could not be had.",
        "delivered": "Frames written, by channel.",
        "delivered_bytes": "Bytes of the frames written, before they were deflated.",
        "coalesced": "Messages that a newer one of the same key took the place of.",
        "dropped": "Messages that still waited when their connection closed.",
        "slow_closes": "Connections cut because they read too slowly.",
        "resumed": "Subscriptions that went on without a snapshot.",
        "strikes": "Messages of clients that could not be understood, or came too fast.",
        "rtt_ms": "Round trips of the latest pings in milliseconds, by percentile.",
    },
    "pool": {
        "connections": "Connections to PostgreSQL that are open, by pool.",
        "idle": "Connections to PostgreSQL that are open and not in use, by pool.",
    },
    "audit": {
        "recorded": "Entries recorded for the audit log.",
        "waiting": "Entries for the audit log that were not handed on yet.",
        "spooled": "Entries for the audit log written to a file, because nothing else could be reached.",
    },
    "limits": {"refused": "Questions, live channels and batches of events refused because they were beyond somebody's budget."},
    "feed": {
        "late": "1 while changes wait longer than 10 seconds for their number in the feed, else 0.",
        "head": "Number of the newest change in the feed.",
        "floor": "Number up to which changes were removed from the feed.",
        "unstamped_seconds": "Age in seconds of the oldest change without a number.",
    },
    "database": {"up": "1 where PostgreSQL answers, else 0."},
    "valkey": {"up": "1 where Valkey answers, else 0."},
    "sync": {"sockets": "Sockets of sync open now at this process."},
    "first_syncs": {
        "running": "Devices that load all of their rows now from this process.",
        "waiting": "Devices that wait at this process for their turn to load.",
    },
    "devices": {
        "seen_last_day": "Devices seen in the last 24 hours.",
        "with_unsent_work": "Devices seen in the last 24 hours that said that changes wait there.",
        "with_parked_work": "Devices seen in the last 24 hours that hold changes the server refused.",
        "loading": "Devices seen in the last 24 hours that had not loaded all of their rows.",
    },
}  # fmt: skip
TEXTS: Mapping[str, str] = {
    f"{PREFIX}{part}_{name}": text for part, names in _BY_PART.items() for name, text in names.items()
}
