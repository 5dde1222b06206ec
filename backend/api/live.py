"""WebSockets of the live channels, GET /ws/bi/health and /ws/bi/metrics."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["live"])
