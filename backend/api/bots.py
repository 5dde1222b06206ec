"""GET /api/bi/bot-performance."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["bi"])
