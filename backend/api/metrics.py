"""GET /metrics for Prometheus: the numbers of every process of this installation. No names of people or places."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import HTTPConnection

from backend import policy
from backend.api.deps import Parts, current_user, deps_of, peer_of
from backend.services import observing

router = APIRouter(tags=["operation"])


async def _scraper(connection: HTTPConnection) -> None:
    """Prometheus with its token, somebody on this machine with no proxy between, or an administrator.

    Raises: TokenExpiredError (401), ForbiddenError (403).
    """
    token = deps_of(connection).settings.metrics_token
    said = connection.headers.get("authorization", "").partition(" ")[2].strip()
    if token is not None and hmac.compare_digest(said.encode(), token.encode()):
        return
    if not said and token is None and peer_of(connection).on_this_machine:
        return
    policy.check(await current_user(connection), policy.Permission.OPERATE)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(deps: Parts, _: Annotated[None, Depends(_scraper)]) -> Response:
    """Stage lag, watermark lag, rollup ratio, cache hits, requests by route, connections: docs/operations.md lists them."""
    return Response(await observing.page(deps), media_type=CONTENT_TYPE_PLAIN_0_0_4)
