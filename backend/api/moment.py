"""GET /api/bi/real-time-metrics and POST /api/bi/trigger-aggregation."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["bi"])
