"""A bench with leads for the screens of a manager."""

from __future__ import annotations

from tests.services.conftest import bench, make_bench

__all__ = ["bench", "make_bench"]
