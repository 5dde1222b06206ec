"""A device as a test needs one: it signs in, pushes, pulls, and keeps what it was told."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from domain import ids, tables, wire

T0 = "2026-11-22T16:00:00.000Z"


@dataclass(slots=True, kw_only=True)
class Device:
    client: httpx.AsyncClient
    headers: dict[str, str]
    user_id: str
    locations: Sequence[str]
    id: str = field(default_factory=ids.new_id)
    epoch: str = "1"
    cursor: str = ""
    rows: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=set)
    mids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def mutation(
        self,
        op: str,
        table: str,
        row_id: str,
        patch: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> wire.Mutation:
        """A mutation with the next mid; `more` = base, base_ver, edit_ms, group, seen_server_ms, mid."""
        given = {
            "mid": 0,
            "group": "",
            "base": {},
            "base_ver": 0,
            "edit_ms": time.time_ns() // 1_000_000,
            "seen_server_ms": 0,
            **more,
        }
        given["mid"] = given["mid"] or next(self.mids)
        return wire.Mutation(table=table, row_id=row_id, op=wire.Op(op), patch=patch or {}, **given)

    async def send(self, *mutations: wire.Mutation) -> httpx.Response:
        body = wire.Push(device_id=self.id, epoch=self.epoch, mutations=mutations).as_json()
        return await self.client.post("/api/sync/push", json=body, headers=self.headers)

    async def push(self, *mutations: wire.Mutation) -> list[wire.Result]:
        answer = await self.send(*mutations)
        assert answer.status_code == 200, answer.text
        return list(wire.PushAnswer.from_json(answer.json()).results)

    def confirm(self, mutations: Sequence[wire.Mutation], results: Sequence[wire.Result]) -> None:
        """Take over what a push answered, as a device does."""
        told = {result.mid: result for result in results}
        for mutation in mutations:
            result, key = told[mutation.mid], (mutation.table, mutation.row_id)
            known = self.rows.get(key)
            if result.row is not None:
                self._take(key, result.row)
            elif result.status is wire.Status.PARKED or (known and known[1] > result.ver):
                continue
            elif mutation.op is wire.Op.DELETE:
                self.rows.pop(key, None)
            else:
                names = tables.BY_NAME[mutation.table].columns
                before = known[2:] if known else [None] * len(names)
                after = {**dict(zip(names, before, strict=True)), **mutation.patch}
                self.rows[key] = [mutation.row_id, result.ver, *after.values()]

    def _take(self, key: tuple[str, str], row: wire.Row) -> None:
        known = self.rows.get(key)
        if row.deleted:
            self.rows.pop(key, None)
        elif known is None or known[1] <= row.ver:
            self.rows[key] = [row.id, row.ver, *row.values.values()]

    async def page(self, *, limit: int = 1000, scope: str = "") -> wire.Page:
        """The next page; applied to `rows`, as a device does it."""
        answer = await self.client.get(
            "/api/sync/pull",
            params={"cursor": self.cursor, "limit": limit, "scope": scope},
            headers={**self.headers, "X-Jorge-Device": self.id},
        )
        page = page_of(answer, self.cursor)
        self._apply(page)
        return page

    def _apply(self, page: wire.Page) -> None:
        self.scopes = self.scopes if page.scopes is None else set(page.scopes)
        self.rows = {key: row for key, row in self.rows.items() if row[2] in self.scopes}
        for block in page.blocks:
            for row in block.rows:
                known = self.rows.get((block.table, row[0]))
                if known is None or known[1] <= row[1]:
                    self.rows[(block.table, row[0])] = list(row)
        for key in page.removed:
            self.rows.pop(key, None)
        self.cursor = page.cursor

    async def pull(self, *, limit: int = 1000) -> list[wire.Page]:
        pages = [await self.page(limit=limit)]
        while pages[-1].more:
            pages.append(await self.page(limit=limit))
        return pages

    def ids(self, table: str) -> set[str]:
        return {row_id for name, row_id in self.rows if name == table}


def page_of(answer: httpx.Response, cursor: str) -> wire.Page:
    """What a pull was answered; 204 says that nothing is new."""
    if answer.status_code == 204:
        ms = int(answer.headers[wire.TIME_HEADER])
        return wire.Page(cursor=cursor, more=False, blocks=(), removed=(), server_ms=ms)
    assert answer.status_code == 200, answer.text
    return wire.Page.from_json(answer.json())


def a_lead(device: Device, **values: Any) -> dict[str, Any]:
    """All that a new lead must have."""
    return {
        "location_id": device.locations[0],
        "created_at": T0,
        "kind": "seller",
        "name": "Ana Ruiz",
        "stage": "new",
        **values,
    }


async def new_lead(device: Device, **values: Any) -> str:
    """A lead made by `device` and pushed; its id."""
    lead_id = ids.new_id()
    (result,) = await device.push(device.mutation("put", "leads", lead_id, a_lead(device, **values)))
    assert result.status is wire.Status.APPLIED, result
    return lead_id


async def new_note(device: Device, **values: Any) -> str:
    """A note that waits for its words, made by `device` and pushed; its id."""
    note_id = ids.new_id()
    row = {
        "location_id": device.locations[0],
        "created_at": T0,
        "agent_id": device.user_id,
        "state": "waiting",
    }
    await device.push(device.mutation("put", "notes", note_id, {**row, **values}))
    return note_id
