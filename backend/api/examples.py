"""Answers as the OpenAPI document shows them; invented."""

from __future__ import annotations

from typing import Any

_LOCATION = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e01"
_READ = {
    "locations": [_LOCATION],
    "as_of": "2026-11-23T02:15:04.120000+00:00",
    "watermark": "2026-11-23T02:15:01.877000+00:00",
    "source": "aggregates",
    "last_updated": "2026-11-23T02:15:04.120000+00:00",
    "cache_hit": False,
}
DASHBOARD: dict[str, Any] = {
    "metrics": {
        "bot_success": {
            "name": "bot_success",
            "title": "Bot success",
            "value": 0.31,
            "unit": "ratio",
            "n": 412,
            "as_of": "2026-11-23T02:15:04.120000+00:00",
            "definition": "Qualified leads ÷ bot conversations with at least one reply, with the 95 % Wilson interval.",
            "interval": [0.267, 0.356],
            "parts": {"qualified": 128},
            "is_default": False,
            "note": None,
        }
    },
    "comparisons": {
        "bot_success": {
            "previous": 0.28,
            "change": 0.107,
            "label": "last 7 days against the 7 days before",
        }
    },
    "trends": {"bot_success": [0.29, 0.3, 0.33, 0.3, None, None, 0.32]},
    "trend_points": [
        "2026-11-16",
        "2026-11-17",
        "2026-11-18",
        "2026-11-19",
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
    ],
    "performance_tiers": {"bot_success": "on_track"},
    "jorge_commission": {
        "default_rate_bp": 600,
        "closed_deals": 9,
        "closed_gross_cents": 12_150_000,
        "closed_company_cents": 2_430_000,
        "closed_rate_bp": 300,
        "pipeline_gross_cents": 61_500_000,
        "pipeline_weighted_cents": 7_310_000,
    },
    "timeframe": "7d",
    **_READ,
}
REVENUE: dict[str, Any] = {
    "revenue_timeseries": [
        {
            "start": "2026-10-25",
            "end": "2026-10-25",
            "step": "day",
            "complete": True,
            "won_gross_cents": 1_350_000,
            "won_company_cents": 270_000,
            "won_price_cents": 45_000_000,
            "deals_won": 1,
            "deals_lost": 0,
            "deals_added": 3,
        }
    ],
    "commission_breakdown": {
        "earned": {
            "total": {
                "deals": 9,
                "price_cents": 405_000_000,
                "gross_cents": 12_150_000,
                "company_cents": 2_430_000,
            },
            "by_side": [
                {
                    "key": "seller",
                    "label": "seller",
                    "deals": 9,
                    "price_cents": 405_000_000,
                    "gross_cents": 12_150_000,
                    "company_cents": 2_430_000,
                }
            ],
        },
        "pipeline": {"total": {"deals": 61, "weighted_cents": 7_310_000}},
        "note": None,
    },
    "predictive_trends": None,
    "summary_metrics": {
        "won_gross_cents": {
            "title": "Revenue",
            "value": 12_150_000,
            "unit": "cents",
            "n": 9,
            "comparison": {
                "previous": 10_800_000,
                "change": 0.125,
                "label": "last 30 days against the 30 days before, each to 18:15 of its last day",
            },
            "note": None,
            "definition": "Gross commission of the deals that closed, by the day they closed.",
        }
    },
    "forecast_accuracy": {"n": 0, "note": "no forecast has come due yet"},
    "timeframe": "30d",
    **_READ,
}
DRILL: dict[str, Any] = {
    "component": "bots",
    "metric": "bot_success",
    "title": "Bot success",
    "definition": "Qualified leads ÷ bot conversations with at least one reply, with the 95 % Wilson interval.",
    "unit": "ratio",
    "timeframe": "30d",
    "group_by": "bot",
    "dimensions": ["bot", "day", "hour", "lead", "location"],
    "total": {"value": 0.31, "n": 412, "parts": {"qualified": 128}, "note": None},
    "rows": [
        {"key": "jorge-seller", "label": "Seller bot", "value": 0.33, "n": 300, "parts": {"qualified": 99}},
        {"key": "jorge-buyer", "label": "Buyer bot", "value": 0.26, "n": 112, "parts": {"qualified": 29}},
    ],
    "next_cursor": None,
    **_READ,
}
