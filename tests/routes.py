"""Every route of the server, however it was included: for tests that hold for all of them, also for those of tomorrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from backend import app

Endpoint = APIRoute | APIWebSocketRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A route with its whole path; `methods` is empty for a WebSocket."""

    path: str
    route: Endpoint

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(sorted(self.route.methods or ())) if isinstance(self.route, APIRoute) else ()

    def __str__(self) -> str:
        return f"{','.join(self.methods) or 'WS'} {self.path}"


def every_route() -> list[Found]:
    return [found for router in app.ROUTERS for found in _walked(router.routes, "")]


def _walked(routes: Sequence[BaseRoute], prefix: str) -> Iterator[Found]:
    for route in routes:
        if isinstance(route, APIRoute | APIWebSocketRoute):
            yield Found(path=prefix + route.path, route=route)
        elif inner := getattr(route, "original_router", None):  # FastAPI keeps included routers as they are
            context = getattr(route, "include_context", None)
            yield from _walked(inner.routes, prefix + getattr(context, "prefix", ""))
