"""GET /api/bi/revenue-intelligence."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["bi"])
