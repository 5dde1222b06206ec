"""A week of clicks on the command centre as it is replayed: what was asked, how much of it the cache had, and whether it was right."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from backend.cache import versions
from backend.cache.asked import Asked
from backend.deps import Deps
from backend.metrics import FIGURES, Shape
from backend.services.bi import catalogue, closed, dashboard, spans
from backend.storage.warehouse import facts
from backend.stream import entries
from benchmarks._clicks import STEP, Model, Person, busy

DAYS = float(os.environ.get("JORGE_BENCH_DAYS", "7"))
WARM_EVERY = timedelta(minutes=5)
QUIET = 0.05
"""When no more than this share of a busy hour is asked (nights, weekends) warming rests, so that a week is replayed in minutes: it
costs hits."""
CHECKED = 20
_TIMES = frozenset({"as_of", "last_updated", "watermark", "cache_hit"})


@dataclass(slots=True)
class ReplayClock:
    """Stands until it is moved."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass(slots=True)
class Week:
    deps: Deps
    clock: ReplayClock
    model: Model
    connection: asyncpg.Connection[asyncpg.Record]
    asked: int = 0
    checked: int = 0
    checked_hits: int = 0
    wrong: int = 0
    foreign: int = 0
    events: int = 0
    frames: int = 0
    seconds: list[float] = field(default_factory=list)
    of: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("questions", "live frames", "warming")}
    )
    """What was read of buckets, for whom."""
    answers: Counter[str] = field(default_factory=Counter)
    """Where the answers to questions came from."""

    async def run(self) -> None:
        self._habits()
        end = self.clock.at + timedelta(days=DAYS)
        next_warm = self.clock.at
        while self.clock.at < end:
            if self.clock.at >= next_warm and busy(self.clock.at) > QUIET:
                await self._warm()
                next_warm = self.clock.at + WARM_EVERY
            self.model.visits(self.clock.at)
            if touched := await self._report():
                await self._live(touched)
            for click in self.model.due(self.clock.at):
                await self._ask(click.person, *click.question)
            self.clock.at += STEP

    def _habits(self) -> None:
        """What warming learned in the three weeks before."""
        begin = self.clock.at
        self.clock.at -= timedelta(days=21)
        while self.clock.at < begin:
            self.model.visits(self.clock.at)
            for click in self.model.due(self.clock.at):
                actor, (kind, params) = click.person.actor, click.question
                noted = Asked(
                    route=kind,
                    params=params,
                    location_ids=tuple(sorted(actor.locations)),
                    role=actor.role.value,
                    who=actor.id,
                    at=click.at.timestamp(),
                )
                self.deps.warmer.rates.saw(noted.question(), noted.who, noted.at)
            self.clock.at += STEP
        self.model.clicks.clear()
        self.model.boards.clear()

    async def _live(self, touched: set[str]) -> None:
        """Boards that show what changed are counted anew, once for all who see the same."""
        shown = {}
        for board in self.model.shown(self.clock.at):
            asked = await dashboard.ask(self.deps, board.person.actor, **board.question[1])
            if {office.id for office in asked.offices} & touched:
                shown[asked.scope.fingerprint, asked.canonical] = asked
        before = self._read()
        for asked in shown.values():
            await dashboard.answer(self.deps, asked)
            self.frames += 1
        self.of["live frames"].update(self._read() - before)

    async def _report(self) -> set[str]:
        """What bots report in this minute. The offices it was about."""
        made = self.model.events(self.clock.at)
        if not made:
            return set()
        arrived = [
            facts.Arrived(event=one, source_key=None, received_at=self.clock.at, entry="") for one in made
        ]
        stored = await facts.store(self.connection, arrived)
        revision = self.deps.answers.versions.revision
        await versions.tell(self.deps.valkey, self.deps.channel(entries.TOUCHED), stored.tags)
        while self.deps.answers.versions.revision == revision:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        self.events += stored.new
        return {str(one.location_id) for one in made}

    async def _ask(self, person: Person, kind: str, params: dict[str, Any]) -> None:
        before, began = self._read(), time.perf_counter()
        asked, body = await catalogue.answered(self.deps, person.actor, kind, params)
        self.seconds.append(time.perf_counter() - began)
        answer = orjson.loads(body)
        self.asked += 1
        read = self._read() - before
        self.of["questions"].update(read)
        self.answers[_source(answer, kind, params, read)] += 1
        if _from_facts(answer, kind, params, read):
            self.of["questions"]["unkept"] += (spans.DAYS[params["timeframe"]] - 1) * len(asked.scope.keys)
        self.foreign += not set(answer.get("locations", ())) <= person.actor.locations
        if answer["cache_hit"] or self.asked % CHECKED == 0:
            await self._check(person, kind, params, answer)

    async def _check(self, person: Person, kind: str, params: dict[str, Any], answer: dict[str, Any]) -> None:
        """The same at this moment, without the cache. One that was kept whole may be as old as its time allows, but what
        does not depend on the running clock must be equal there too."""
        known = self.deps.answers.versions
        known.known = False
        asked = await catalogue.KINDS[kind].ask(self.deps, person.actor, **params)
        plain = orjson.loads(orjson.dumps(await catalogue.KINDS[kind].answer(self.deps, asked)))
        known.known = True
        self.checked += 1
        self.checked_hits += answer["cache_hit"]
        same = _closed if answer["cache_hit"] else _timeless
        self.wrong += same(answer) != same(plain)

    async def _warm(self) -> None:
        await self.deps.asked.flush()
        warmer = self.deps.warmer
        await warmer.learn()
        before, now = self._read(), self.clock.at.timestamp()
        await warmer.prepare(lambda question: catalogue.prepared(self.deps, question), now)
        await warmer.warm(lambda question: catalogue.again(self.deps, question), now)
        self.of["warming"].update(self._read() - before)

    def _read(self) -> Counter[str]:
        """Buckets so far: `closed` ones from memory and `missed`, `open` ones, and why they were missed."""
        found = Counter(self.deps.answers.buckets.causes)
        for name, counted in self.deps.answers.stats.buckets.items():
            if name == closed.OPEN:
                found["open"] += counted.misses
            else:
                found["closed"] += counted.hits
                found["missed"] += counted.misses
        return found


def _source(answer: dict[str, Any], kind: str, params: dict[str, Any], read: Counter[str]) -> str:
    if answer["cache_hit"]:
        return "whole"
    if read["missed"] or _from_facts(answer, kind, params, read):
        return "missed"
    return "closed" if read["closed"] else "stock"


def _from_facts(answer: dict[str, Any], kind: str, params: dict[str, Any], read: Counter[str]) -> bool:
    """Whether a drill-down added up days that are over without the closed buckets. A list of leads adds nothing up."""
    if kind != "drill-down" or answer["cache_hit"] or params["group_by"] is None:
        return False
    return FIGURES[params["metric"]].shape is not Shape.STOCK and not read["closed"] + read["missed"]


def _closed(answer: dict[str, Any]) -> Any:
    """What commits alone change: money and days; leads that are late and edges that roll move with the clock."""
    if "revenue_timeseries" in answer:
        return [answer["revenue_timeseries"], answer["commission_breakdown"]]
    if "metrics" in answer and answer.get("timeframe") not in ("24h", "7d"):
        kept = ("bot_success", "ml_response", "revenue_pipeline")
        return [_timeless(answer["metrics"][name]) for name in kept] + [
            answer["trends"][name] for name in kept
        ]
    if "rows" in answer and answer.get("timeframe") not in ("24h", "7d"):
        return [{name: value for name, value in row.items() if name != "share"} for row in answer["rows"]]
    return None


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if name not in _TIMES}
    return [_timeless(part) for part in value] if isinstance(value, list) else value
