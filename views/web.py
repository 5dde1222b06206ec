"""The app in a browser: Flet's web client from this machine alone, served in a loop of our own."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flet as ft

Main = Callable[[ft.Page], Awaitable[None]]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
ASSETS = Path(__file__).resolve().parent.parent / "assets"
SESSION_SECONDS = 4 * 3600
_DOCS = {"/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"}


# Nothing is fetched from outside, whatever the client's bundle asks for; Flutter needs WASM and inline script.
_POLICY = (
    "default-src 'self' blob: data:; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' blob: data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Gate:
    """Stands before Flet's app: refuses WebSockets of other sites' pages, and says what a browser may load."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "websocket" and not _is_ours(dict(scope["headers"])):
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"access-control-allow-origin"]
                message["headers"] = [*kept, *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


def _is_ours(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1")
    return not origin or urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")


def asgi(
    main: Main, *, assets: Path = ASSETS, uploads: Path | None = None, secret: str | None = None
) -> Gate:
    """The ASGI app. `uploads` takes files that a browser sends; `secret` signs their addresses."""
    # Only where there is a server, never on a phone.
    flet_fastapi = importlib.import_module("flet_web.fastapi")

    app = flet_fastapi.app(
        main,
        assets_dir=str(assets),
        app_name="Jorge BI",
        app_short_name="Jorge",
        app_description="Field app and command centre of a brokerage",
        no_cdn=True,
        upload_dir=str(uploads) if uploads else None,
        secret_key=secret,
        session_timeout_seconds=SESSION_SECONDS,
    )
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") not in _DOCS]
    return Gate(app)


def server(app: Gate, *, host: str, port: int) -> Any:
    """A `uvicorn.Server`: `await server.serve()`, or `serve(sockets=[bound])`; ends with `should_exit = True`."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
    )
