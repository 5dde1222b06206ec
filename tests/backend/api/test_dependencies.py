"""What every request asks for is worked out where the request runs, in no other thread."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from backend import app


def _asked(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _asked(one)


ROUTES = [route for router in app.ROUTERS for route in router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_route_hops_to_another_thread_for_what_it_depends_on(route: APIRoute) -> None:
    asked = [one.call for one in _asked(route.dependant)]

    assert [call for call in asked if inspect.isfunction(call) and not _here(call)] == []
    assert inspect.iscoroutinefunction(route.endpoint)


def _here(call: object) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)


def test_there_are_routes_to_look_at() -> None:
    assert len(ROUTES) > 15
