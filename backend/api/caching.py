"""GET /api/bi/cache-analytics and POST /api/bi/warm-cache."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["bi"])
