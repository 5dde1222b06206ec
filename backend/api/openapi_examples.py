"""What routes answer when all is well, for the OpenAPI document: those that don't say it themselves, by method and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OFFICE = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e01"
_PERSON = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e02"
_SOURCE_ID = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e03"
_SESSION = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e04"
_ENTRY = "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e05"
_MOMENT = "2026-11-23T05:42:46.093710+00:00"

_USER = {
    "id": _PERSON,
    "name": "Mo Reyes",
    "email": "mo@brokerage.example",
    "role": "manager",
    "locations": [{"id": _OFFICE, "name": "Fontana", "state": "CA", "zone": "America/Los_Angeles"}],
}
_TOKENS = {
    "access_token": "QYkik_CNZJvXAsjbuRLmibINpgVMMtuulyW4F8xbH0M",
    "refresh_token": "4ecW7ZR6_XupAgo81IyTf7ZlTQeRaFxBpUYX9D049wE",
    "token_type": "bearer",
    "expires_in": 900,
    "device_id": "0193f1c2-5c3e-7a10-8d7c-2f4b1a6c9e06",
    "user": _USER,
    "demo": False,
}
_SOURCE = {
    "id": _SOURCE_ID,
    "key_number": 7,
    "name": "Lead bot",
    "locations": [_OFFICE],
    "streams": ["lead_interactions", "bot_performance"],
    "config": {},
    "created_at": _MOMENT,
    "revoked_at": None,
    "last_used_at": None,
}
_GROUP = {"name": "sink", "consumers": 1, "pending": 0, "lag": 0, "last-delivered-id": "1795412297023-0"}
_LETTER = {
    "id": "1795410554527-9",
    "stream": "bot_performance",
    "reason": "unknown_location",
    "message": "The warehouse knows no office with this `location_id`.",
    "payload": '{"stream":"bot_performance","event_id":"…"}',
    "source": 7,
    "at": _MOMENT,
    "cut": False,
}
_ASIDE = {
    "table": "leads",
    "id": _ENTRY,
    "location_id": _OFFICE,
    "reason": "22008",
    "tries": 3,
    "since": _MOMENT,
    "tried_at": _MOMENT,
    "again_at": _MOMENT,
}
_JOB = {
    "name": "kpi_snapshots",
    "every_seconds": 600.0,
    "last": {
        "name": "kpi_snapshots",
        "process": "sink",
        "started_at": _MOMENT,
        "ended_at": _MOMENT,
        "failed_at": None,
        "fault": None,
        "took_ms": 37.3,
        "runs": 12,
        "failures": 0,
    },
}
_AUDITED = {
    "chain": _OFFICE,
    "seq": 217,
    "id": _ENTRY,
    "at": _MOMENT,
    "actor_id": _PERSON,
    "role": "manager",
    "session_id": _SESSION,
    "action": "see_money",
    "outcome": "allowed",
    "resource": "GET /api/bi/revenue-intelligence",
    "locations": [_OFFICE],
    "detail": {"timeframe": "30d"},
    "hash": "407dea91a92b72749694578261b8a9f54d6f37eb80e5a6a6aa43f8ecf3d5e6a3",
}
_QUERY = {
    "pid": 9207,
    "application_name": "jorge",
    "state": "active",
    "wait_event_type": None,
    "wait_event": None,
    "seconds": 0.42,
    "query": "SELECT …",
}
_LIVE = {"connections": 42, "groups": 6, "accepted_total": 108, "slow_closes_total": 1, "resumed_total": 3}
_CACHE = {"hits": 9508, "misses": 812, "joined": 3, "bypassed": 0, "warmed": 17, "warmed_then_hit": 12}

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "GET /health": {"status": "ok", "version": "0.1.0", "protocol": 1},
    "GET /ready": {"status": "ready", "database": "ok", "valkey": "ok", "migrations": "ok", "feed": "ok"},
    "POST /api/auth/login": _TOKENS,
    "POST /api/auth/refresh": _TOKENS,
    "GET /api/auth/me": {"user": _USER, "demo": False, "device_id": _TOKENS["device_id"]},
    "POST /ws/ticket": {"ticket": "Kb5MDtO2PwPWhVQA0zLmJPf3U4dSuPTXXuU5qh0qqwk", "expires_in": 30},
    "GET /ws/bi/health": {"status": "ok", "connections": 42, "most": 1000, "hears_others": True},
    "GET /ws/bi/metrics": {
        "connections": 42,
        "accepted": 108,
        "refused": {"origin": 1},
        "delivered": {"dashboard": 2001},
        "rtt_ms": {"p50": 1.0, "p95": 4.0, "p99": 9.0},
        "most": 1000,
        "quality": {"good": 42},
        "present": {"dashboard": 40, "alerts": 2},
        "hears_others": True,
    },
    "GET /ws/bi/schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {}},
    "POST /api/events": {
        "accepted": 1,
        "stored": True,
        "rejected": [
            {
                "index": 1,
                "event_id": _ENTRY,
                "code": "schema",
                "message": "Expected `float` <= 1.0.",
                "where": "confidence",
            }
        ],
    },
    "GET /api/events/schemas": {
        "schemas": {"bot_performance": "/api/events/schemas/bot_performance/v1"},
    },
    "GET /api/events/schemas/{stream}/{version}": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "BotPerformance",
        "type": "object",
    },
    "POST /api/webhooks/gohighlevel/{source_id}": {
        "accepted": 2,
        "stored": True,
        "repeated": False,
        "ignored": False,
    },
    "GET /api/admin/sources": {"sources": [_SOURCE]},
    "POST /api/admin/sources": _SOURCE
    | {
        "key": "jbi_qR6AmJJz0KvK3fYdzVHdzezazlGLpnOlWcK35rrP2-E",
        "webhook_secret": "BNDnfdDDDA8piu0g72wx34GWhdIOmyp7m06o15jkY6s",
        "webhook_url": f"/api/webhooks/gohighlevel/{_SOURCE_ID}",
    },
    "PATCH /api/admin/sources/{source_id}": _SOURCE,
    "DELETE /api/admin/sources/{source_id}": _SOURCE | {"revoked_at": _MOMENT},
    "GET /api/admin/dead-letters": {"letters": [_LETTER], "next": None, "waiting": 1, "dropped": 0},
    "DELETE /api/admin/dead-letters": {"removed": 1},
    "POST /api/admin/dead-letters/replay": {
        "sent": 1,
        "stored": True,
        "failed": {"too_old": 1},
        "more": False,
    },
    "GET /api/admin/cache": {"processes": {"api-1": _CACHE}},
    "POST /api/admin/cache/forget": {"forgotten": 1},
    "PUT /api/admin/cache/warming": {"on": False},
    "GET /api/admin/stream": {
        "streams": {"bi:stream:bot_performance": {"length": 0, "groups": [_GROUP]}},
        "processes": ["api-1", "processor", "sink"],
        "sink": {"sink": {"new": 75, "repeated": 236, "dead": 14}},
        "windows": {"processor": {"events_total": 274, "late_total": 3}},
        "set_aside": {"count": 1, "rows": [_ASIDE]},
    },
    "GET /api/admin/jobs": {"jobs": [_JOB]},
    "GET /api/admin/ws": {"processes": {"api-1": _LIVE}},
    "GET /api/admin/queries": {"running": [_QUERY], "slowest": None, "timeout_ms": 2000},
    "POST /api/admin/queries/{pid}/cancel": {"cancelled": 9207},
    "GET /api/admin/audit": {"entries": [_AUDITED], "next": f"1795412566093710~{_ENTRY}"},
}
