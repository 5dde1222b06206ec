"""What a process tells of itself: numbers by name and how long requests take, in a form that several processes can add up to one page.

Whoever counts something puts a function into `Deps.gauges` under the part's name; it answers name → number when asked. The part's
name goes in front. A name may carry labels (`lag{stream="lead_interactions"}`), and one that ends in `_total` only ever grows. No names of people or places.
What each is stands in `observe_texts`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import Metric

from backend.observe_texts import PREFIX, TEXTS

logger = logging.getLogger(__name__)

Gauges = Callable[[], Mapping[str, float]]

_REQUESTS = f"{PREFIX}request_seconds"
_NAMED = re.compile(r"^([a-z_][a-z0-9_]*)(?:\{(.*)\})?$")
_LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

Family = list[Any]
"""[name, kind, help, [[sample, labels, value], …]]: as JSON it travels from process to process."""


class Watch:
    """This process's own measurements."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            _REQUESTS,
            TEXTS[_REQUESTS],
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_SECONDS,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is the pattern, never the path."""
        self._requests.labels(method, route, f"{status // 100}xx").observe(seconds)

    def families(self, gauges: Mapping[str, Gauges]) -> list[Family]:
        """All that is known now. A function that breaks is logged and left out."""
        found = [
            [metric.name, metric.type, metric.documentation, _samples(metric)]
            for metric in self._registry.collect()
        ]
        for owner, ask in tuple(gauges.items()):
            try:
                found += of_numbers(_owned(owner, ask()))
            except Exception:  # what one part can't tell must not silence the others
                logger.exception("observe.broke", extra={"part": owner})
        return found


def of_numbers(numbers: Mapping[str, float]) -> list[Family]:
    """Plain numbers as families. Raises: ValueError for a name that is none."""
    found: dict[str, Family] = {}
    for said, value in numbers.items():
        named = _NAMED.match(said)
        if named is None:
            raise ValueError(f"{said!r} is no name of a metric")
        name = PREFIX + named[1].removeprefix(PREFIX)
        family = name.removesuffix("_total")
        kind = "counter" if family != name else "gauge"
        held = found.setdefault(family, [family, kind, "", []])
        held[3].append([name, dict(_LABEL.findall(named[2] or "")), float(value)])
    return list(found.values())


def _owned(owner: str, numbers: Mapping[str, float]) -> Mapping[str, float]:
    return {
        name if name.startswith(f"{owner}_") else f"{owner}_{name}": value for name, value in numbers.items()
    }


def page(told: Mapping[str, Sequence[Family]]) -> bytes:
    """The text for Prometheus: `told` holds what each process said; "" is what concerns all of them."""
    merged: dict[str, Metric] = {}
    for process, families in told.items():
        for name, kind, text, samples in families:
            metric = merged.get(name)
            if metric is None:
                metric = merged[name] = Metric(name, TEXTS.get(name) or text or name, kind)
            for sample, labels, value in samples:
                metric.add_sample(sample, labels | ({"process": process} if process else {}), value)
    registry = CollectorRegistry()
    registry.register(_Held(merged.values()))
    return generate_latest(registry)


class _Held:
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _samples(metric: Metric) -> list[list[Any]]:
    return [
        [sample.name, dict(sample.labels), sample.value]
        for sample in metric.samples
        if not sample.name.endswith("_created")
    ]
