"""Every test here may use the fixtures of tests/serving.py (described there)."""

from __future__ import annotations

from tests.backend.conftest import (
    app,
    client,
    clock,
    database_template,
    database_url,
    deps,
    engines,
    live_server,
    login,
    make_user,
    redis_url,
    server_settings,
)

__all__ = [
    "app",
    "client",
    "clock",
    "database_template",
    "database_url",
    "deps",
    "engines",
    "live_server",
    "login",
    "make_user",
    "redis_url",
    "server_settings",
]
