"""Every request that the OpenAPI knows, made out of it: a route of tomorrow is asked too, or the test says what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import FastAPI

from backend.metrics import FIGURES
from tests.backend.isolation.places import Place
from tests.routes import every_route

NOT_ASKED = {
    ("POST", "/api/auth/logout"): "ends the sign-in the test goes on with; takes nothing, answers nothing",
    ("POST", "/api/auth/refresh"): "the same; tests/backend/api/test_refresh.py",
    (
        "POST",
        "/api/auth/login",
    ): "takes a password and tells who signs in about themselves; tests/backend/api/test_auth.py",
}
"""Routes that are not called here, and why."""
GLOBAL = {
    "/api/admin/": "whoever operates the installation sees all of it: sources, dead letters, audit, processes",
    "/metrics": "counts of the installation, without names or ids of anybody's data",
    "/ws/bi/metrics": "connections of the process",
}
"""What an administrator sees of every office, demo or not. Nobody else gets in there: that is checked here too."""
_PLACES = ("location_id", "scope")
"""Parameters that name a location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`names`: it asks for the foreign place by name, so it has to be refused."""

    method: str
    route: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    names: bool = False

    def __str__(self) -> str:
        said = orjson.dumps(self.body).decode()[:300] if self.body is not None else ""
        return f"{self.method} {self.path} {dict(self.query)} {said}"

    @property
    def for_everybody_who_operates(self) -> bool:
        return any(self.route.startswith(start) for start in GLOBAL)


def requests(app: FastAPI, foreign: Place) -> Iterator[Request]:
    """Raises: KeyError naming a parameter of a path that nobody has said what stands for."""
    told = app.openapi()
    for one in every_route():
        for method in one.methods:
            if (method, one.path) in NOT_ASKED:
                continue
            operation = told["paths"].get(one.path, {}).get(method.lower(), {})
            yield from _Making(told, foreign, method, one.path, operation).all()
    yield from drills(foreign)


def drills(foreign: Place) -> Iterator[Request]:
    """Each figure by each of its dimensions, and with filters that name what is of the foreign place."""
    of_them = {"agent": foreign.people[1], "source": foreign.name, "location": foreign.office.id}
    for figure in FIGURES.values():
        asked = {"component": figure.component, "metric": figure.name, "timeframe": "1y", "limit": 200}
        for by in ("lead", *sorted(figure.dimensions)):
            yield _drill(asked | {"group_by": by})
        for name in sorted(of_them.keys() & set(figure.dimensions)):
            yield _drill(asked | {"filters": {name: [of_them[name]]}}, names=name == "location")
        yield _drill(asked | {"location_id": foreign.office.id}, names=True)


def _drill(body: Mapping[str, Any], *, names: bool = False) -> Request:
    path = "/api/bi/drill-down"
    return Request(method="POST", route=path, path=path, query={}, headers={}, body=body, names=names)


@dataclass(frozen=True, slots=True)
class _Making:
    told: Mapping[str, Any]
    foreign: Place
    method: str
    route: str
    operation: Mapping[str, Any]

    def all(self) -> Iterator[Request]:
        """As it is by default, with each parameter otherwise, and with the foreign place wherever a place can be named."""
        parameters = self.operation.get("parameters", [])
        plain = Request(
            method=self.method,
            route=self.route,
            path=self._path(),
            query={
                p["name"]: self._words(p)[0] for p in parameters if p["in"] == "query" and p.get("required")
            },
            headers={
                p["name"]: self._words(p)[0] for p in parameters if p["in"] == "header" and p.get("required")
            },
            body=self._body(),
        )
        yield plain
        for parameter in (p for p in parameters if p["in"] == "query"):
            name = parameter["name"]
            if name in _PLACES or name == "view_as":
                yield replace(plain, query={**plain.query, name: self.foreign.office.id}, names=True)
            for word in () if name == "view_as" else self._words(parameter):
                yield replace(plain, query={**plain.query, name: word})
        yield from self._bodies(plain)

    def _bodies(self, plain: Request) -> Iterator[Request]:
        """With the foreign place in it."""
        if isinstance(plain.body, dict):
            for name in sorted({"location_id", "locations"} & set(self._properties())):
                at = self.foreign.office.id
                yield replace(
                    plain, body={**plain.body, name: [at] if name == "locations" else at}, names=True
                )

    def _path(self) -> str:
        stands = {
            "upload_id": self.foreign.id_of("upload"),
            "id_or_sha256": self.foreign.id_of("upload"),
            "alert_id": self.foreign.id_of("alert"),
            "source_id": self.foreign.id_of("source"),
            "stream": "lead_interactions",
            "version": "1",
            "pid": "1",
            "location_id": self.foreign.office.id,
        }
        return self.route.format(**stands)

    def _words(self, parameter: Mapping[str, Any]) -> list[str]:
        """Values to try."""
        if parameter["name"] in _PLACES:
            return ["all", ""]
        found = self._values(parameter.get("schema", {}), parameter["name"])
        return ["true" if one is True else "false" if one is False else str(one) for one in found] or ["x"]

    def _values(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        schema = self._resolved(schema)
        if "enum" in schema:
            return list(schema["enum"])
        match schema.get("type"):
            case "boolean":
                return [True, False]
            case "integer" | "number":
                return [schema[edge] for edge in ("minimum", "maximum") if edge in schema] or [1]
        if schema.get("format") == "uuid":
            return [self.foreign.id_of(name)]
        return [str(schema.get("default", ""))]

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while True:
            if "$ref" in schema:
                at: Any = self.told
                for part in schema["$ref"].removeprefix("#/").split("/"):
                    at = at[part]
                schema = at
            elif either := schema.get("anyOf") or schema.get("oneOf"):
                schema = {**either[0], **{k: v for k, v in schema.items() if k not in ("anyOf", "oneOf")}}
            else:
                return schema

    def _properties(self) -> Mapping[str, Any]:
        content = self.operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        found: Mapping[str, Any] = self._resolved(schema).get("properties", {})
        return found

    def _body(self) -> Any:
        content = self.operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        if "example" in content:
            return content["example"]
        if examples := content.get("examples"):
            return next(iter(examples.values()))["value"]
        return self._sample(content.get("schema", {}), "body")

    def _sample(self, schema: Mapping[str, Any], name: str) -> Any:
        schema = self._resolved(schema)
        for given in ("example", "default", "const"):
            if given in schema:
                return schema[given]
        if schema.get("examples"):
            return schema["examples"][0]
        if schema.get("type") == "object" or "properties" in schema:
            needed = schema.get("required", [])
            return {
                key: self._sample(part, key)
                for key, part in schema.get("properties", {}).items()
                if key in needed
            }
        if schema.get("type") == "array":
            return [self._sample(schema["items"], name)] if schema.get("minItems") else []
        return (self._values(schema, name) or ["x"])[0]
