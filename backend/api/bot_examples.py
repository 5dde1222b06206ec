"""Answers about bots, anomalies and insights as the OpenAPI document shows them; invented."""

from __future__ import annotations

from typing import Any

_LOCATION = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e01"
_READ = {
    "as_of": "2026-11-23T02:15:04.120000+00:00",
    "watermark": "2026-11-23T02:15:01.877000+00:00",
    "source": "aggregates",
    "last_updated": "2026-11-23T02:15:04.120000+00:00",
    "cache_hit": False,
}
ALERT: dict[str, Any] = {
    "alert_id": "019a2f0e-0d2b-7c55-9d1e-4d2f7a3b1c10",
    "rule": "error_rate",
    "subject": "lead-bot",
    "severity": "high",
    "title": "Many errors",
    "message": "lead-bot: 9 of 80 events within two hours were errors (11%).",
    "value": 0.1125,
    "bound": 0.05,
    "n": 80,
    "context": {
        "component": "bots",
        "metric": "bot_error_rate",
        "timeframe": "24h",
        "location_id": _LOCATION,
        "filters": {"bot": "lead-bot"},
    },
    "evidence": {"interval": [0.06, 0.2]},
    "acked_by": None,
    "opened_at": "2026-11-23T01:58:00+00:00",
    "last_seen_at": "2026-11-23T02:15:00+00:00",
    "closed_at": None,
    "acked_at": None,
    "location_id": _LOCATION,
    "status": "open",
}
BOT_PERFORMANCE: dict[str, Any] = {
    "bot_metrics": {
        "jorge-seller": {
            "bot_id": "jorge-seller",
            "name": "Seller bot",
            "metrics": {
                "bot_success": {
                    "title": "Bot success",
                    "definition": "Qualified leads ÷ bot conversations with at least one reply, with the 95 % Wilson interval.",
                    "value": 0.31,
                    "unit": "ratio",
                    "n": 412,
                    "interval": [0.267, 0.356],
                    "comparison": {
                        "previous": 0.28,
                        "change": 0.107,
                        "label": "last 7 days against the 7 days before",
                        "n": 398,
                    },
                    "trend": [0.29, 0.3, None, 0.33, 0.31, 0.3, 0.32],
                    "tier": "on_track",
                    "parts": {},
                    "higher_is_better": True,
                    "note": None,
                }
            },
            "performance_tiers": {"bot_success": "on_track"},
            "note": None,
        }
    },
    "trend_points": [f"2026-11-{day}" for day in range(16, 23)],
    "coordination_metrics": {
        "handoffs": 84,
        "n": 84,
        "bots": ["jorge-seller", "lead-bot"],
        "flow": [
            {
                "from": "lead-bot",
                "to": "jorge-seller",
                "n": 61,
                "share": 0.726,
                "mean_confidence": 0.86,
                "below_confidence": 3,
            }
        ],
        "matrix": [[0, 23], [61, 0]],
        "rules": {
            "ping_pong": {
                "definition": "Hand-offs back to a bot that gave the same lead away within 30 minutes (ping-pong)",
                "value": 2,
                "share": 0.024,
                "interval": [0.007, 0.083],
                "n": 84,
                "units": 2,
                "examples": [],
                "note": None,
            }
        },
        "conversation_quality": {
            "value": 0.72,
            "n": 73,
            "note": None,
            "series": [{"at": "2026-11-21", "value": 0.714, "n": 12}, {"at": "2026-11-22", "value": 0.731, "n": 9}],
            "trend": {
                "direction": None,
                "slope": None,
                "interval": None,
                "n": 2,
                "method": "Theil-Sen slope a day with Sen's 95 % interval, complete days only",
                "note": "not enough data: 2 of 5 days with ratings, 73 of 30 ratings",
            },
        },
    },
    "system_health": {"status": "ok", "components": [], "streams": [], "unknown_after_seconds": 600.0, "note": None},
    "performance_alerts": [ALERT],
    "timeframe": "7d",
    **_READ,
}  # fmt: skip
ANOMALIES: dict[str, Any] = {
    "timeframe": "24h",
    "sensitivity": 0.5,
    "threshold": 4.0,
    "grain": "hour",
    "method": "median and MAD of the same hour of the week in up to 12 weeks before, on a scale where chance has a spread of one; unusual beyond 4.0 spreads",
    "anomalies": [
        {
            "metric": "bot_events",
            "title": "Bot events",
            "from": "2026-11-22T22:00:00+00:00",
            "to": "2026-11-23T00:00:00+00:00",
            "slots": 3,
            "direction": "down",
            "observed": 0,
            "expected": 126.0,
            "band": [78.4, 186.0],
            "score": -6.1,
            "n": 12,
            "context": [
                {
                    "dimension": "bot",
                    "value": "lead-bot",
                    "observed": 0,
                    "usual": 126.0,
                    "difference": -126.0,
                }
            ],
            "drill_down": {
                "component": "bots",
                "metric": "bot_events",
                "timeframe": "24h",
                "location_id": "all",
            },
        }
    ],
    "found": 1,
    "metrics": [
        {
            "metric": "bot_events",
            "title": "Bot events",
            "checked": 24,
            "false_alarms": {
                "rate": 0.0015,
                "interval": [0.0004, 0.0054],
                "n": 1344,
                "a_month": 1.1,
                "note": "alarms among the slots before, real ones included",
            },
            "smallest_visible_drop": 0.58,
            "note": None,
        }
    ],
    "not_enough_data": [{"metric": "meetings", "weeks": 2, "needed": 5}],
    **_READ,
}
INSIGHTS: list[dict[str, Any]] = [
    {
        "insight_type": "leads_cooling",
        "confidence": 0.6667,
        "title": "5 warm or hot leads cooled within two weeks",
        "description": "Of 30 that cooled so before, 20 were neither as warm again nor closed within a month.",
        "recommended_action": "Call them this week, the latest to cool first.",
        "relevance_score": 0.0952,
        "data": {
            "method": "share of earlier leads that cooled and stayed so for 30 days",
            "n": 30,
            "interval": [0.488, 0.808],
            "leads": 5,
            "active_leads": 35,
            "lead_ids": ["0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e77"],
        },
        "as_of": "2026-11-23T02:15:04.120000+00:00",
        "watermark": "2026-11-23T02:15:01.877000+00:00",
        "source": "facts",
        "cache_hit": False,
    }
]
