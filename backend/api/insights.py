"""GET /api/bi/predictive-insights and /api/bi/anomaly-detection."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["bi"])
