"""The server of the browser's app: only its own pages may talk to it, and they may load from nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flet as ft
import flet_web  # type: ignore[import-untyped]
import httpx
import pytest

from views import web

pytestmark = pytest.mark.anyio


async def _nothing(page: ft.Page) -> None:
    page.title = "empty"


async def _get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=web.asgi(_nothing))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8550") as client:
        return await client.get(path)


async def _knock(origin: str | None) -> list[dict[str, Any]]:
    """What the gate sends to a WebSocket from this origin, when the app behind it only accepts."""
    sent: list[dict[str, Any]] = []

    async def app(scope: web.Scope, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8550"), *([(b"origin", origin.encode())] if origin else [])]
    await web.Gate(app)({"type": "websocket", "headers": headers}, lambda: None, send)
    return sent


async def test_the_page_may_load_from_here_alone() -> None:
    answer = await _get("/nearby")

    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "Jorge BI" in answer.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_no_interface_is_described_to_strangers(path: str) -> None:
    answer = await _get(path)

    assert "swagger" not in answer.text.lower()
    assert "openapi" not in answer.text.lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "null"])
async def test_a_page_of_another_site_is_refused(origin: str) -> None:
    assert await _knock(origin) == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8550", None])
async def test_our_own_page_is_let_in(origin: str | None) -> None:
    assert await _knock(origin) == [{"type": "websocket.accept"}]


async def test_the_page_watches_whether_the_app_is_alive_and_is_flets_own_but_for_that() -> None:
    own = (web.ASSETS / "index.html").read_text()

    packaged = (Path(flet_web.get_package_web_dir()) / "index.html").read_text()
    assert own == packaged.replace("</head>", '  <script src="alive.js"></script>\n</head>')
    assert (await _get("/alive.js")).status_code == 200
    assert '<script src="alive.js"></script>' in (await _get("/")).text
