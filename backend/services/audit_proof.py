"""Shows that the audit log is as it was written: walks the chains, and holds them against their signed heads.

A hash chain alone finds what was edited, left out or put elsewhere, but not that its end was cut off. So each hour the ends are
signed with a key in the data folder, and kept both in the table and in `audit.heads` beside the key, out of the database's reach.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import orjson

from backend.storage import audit as log
from backend.storage import pool
from backend.storage.audit import Head, Link

if TYPE_CHECKING:
    from backend.deps import Deps

_NEAR = 200
"""How far a row may have been moved to be called moved; further away it counts as edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, and where: edited, deleted, reordered, rewritten, truncated, forged."""

    kind: str
    chain: str
    seq: int
    message: str


@dataclass(slots=True, kw_only=True)
class Report:
    rows: int = 0
    heads: int = 0
    seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)

    @property
    def rows_per_second(self) -> int:
        return round(self.rows / self.seconds) if self.seconds else 0


@dataclass(slots=True)
class _Walk:
    """One chain, row by row."""

    chain: str
    heads: dict[int, list[Head]]
    report: Report
    seq: int = 0
    prev: bytes = log.START

    def step(self, link: Link) -> None:
        gone = link.seq - self.seq - 1
        if gone:
            self._fault("deleted", self.seq + 1, f"{gone} row(s) before {link.seq} are gone")
        if log.hashed(link.prev, link.chain, link.seq, link.entry) != link.hash:
            self._unlike(link)
        elif link.prev != self.prev and not gone:
            self._fault("rewritten", link.seq, "does not follow the row before it")
        for head in self.heads.pop(link.seq, ()):
            if not hmac.compare_digest(head.hash, link.hash):
                self._fault(
                    "rewritten", link.seq, f"is not what was signed on {head.signed_at:%Y-%m-%d %H:%M}"
                )
        self.seq, self.prev = link.seq, link.hash

    def end(self) -> None:
        """What was signed and is not there any more."""
        for seq in sorted(self.heads):
            if seq > self.seq:
                signed = self.heads[seq][0].signed_at
                self._fault(
                    "truncated",
                    self.seq + 1,
                    f"rows up to {seq} were there on {signed:%Y-%m-%d %H:%M} and are gone",
                )

    def _unlike(self, link: Link) -> None:
        for other in range(max(1, link.seq - _NEAR), link.seq + _NEAR + 1):
            if log.hashed(link.prev, link.chain, other, link.entry) == link.hash:
                self._fault("reordered", link.seq, f"was written as row {other}")
                return
        self._fault("edited", link.seq, "is not what was written")

    def _fault(self, kind: str, seq: int, message: str) -> None:
        self.report.faults.append(Fault(kind=kind, chain=self.chain, seq=seq, message=message))


async def verify(opened: pool.Pool, folder: Path, tell: Callable[[int], None] = lambda rows: None) -> Report:
    """Walk the whole log; `tell` hears of every ten thousandth row."""
    report, started = Report(), perf_counter()
    async with (
        opened.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        kept = await log.heads(connection)
        heads = _by_chain({*kept, *await asyncio.to_thread(_read_heads, folder)}, folder, report)
        walk = _Walk("", {}, report)
        async for link in log.links(connection):
            if link.chain != walk.chain:
                walk.end()
                walk = _Walk(link.chain, heads.pop(link.chain, {}), report)
            walk.step(link)
            report.rows += 1
            if report.rows % 10_000 == 0:
                tell(report.rows)
        walk.end()
    for chain, rest in heads.items():
        _Walk(chain, rest, report).end()
    report.seconds = perf_counter() - started
    return report


async def sign(deps: Deps) -> int:
    """Sign the ends of the chains that have grown; how many."""
    folder = deps.settings.server_dir
    async with log.appending(deps.pool) as connection:
        key = await asyncio.to_thread(_key, folder)
        ends = await log.ends_of(connection, await log.chains(connection))
        signed_before = {(head.chain, head.seq) for head in await log.heads(connection)}
        now = deps.clock.now()
        made = [
            Head(chain=chain, seq=seq, hash=end, signed_at=now, mac=_mac(key, chain, seq, end, now))
            for chain, (seq, end) in ends.items()
            if (chain, seq) not in signed_before
        ]
        await asyncio.to_thread(_write_heads, folder, made)
        await log.keep_heads(connection, made)
    return len(made)


def _by_chain(found: Iterable[Head], folder: Path, report: Report) -> dict[str, dict[int, list[Head]]]:
    """The heads that are really ours, by chain and place; a false one is a fault itself."""
    grouped: dict[str, dict[int, list[Head]]] = {}
    key: bytes | None = None
    for head in found:
        key = key or _key(folder)
        report.heads += 1
        if not hmac.compare_digest(_mac(key, head.chain, head.seq, head.hash, head.signed_at), head.mac):
            told = "its signature is not ours: forged, or the key in the data folder is another"
            report.faults.append(Fault(kind="forged", chain=head.chain, seq=head.seq, message=told))
            continue
        grouped.setdefault(head.chain, {}).setdefault(head.seq, []).append(head)
    return grouped


def _mac(key: bytes, chain: str, seq: int, end: bytes, signed_at: datetime) -> bytes:
    said = orjson.dumps([chain, seq, end.hex(), round(signed_at.timestamp() * 1_000_000)])
    return hmac.new(key, said, hashlib.sha256).digest()


def _key(folder: Path) -> bytes:
    """The signing key, made with the first use and readable by the server only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "audit.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        made = os.urandom(32)
        file.write(made)
    return made


def _write_heads(folder: Path, made: Sequence[Head]) -> None:
    lines = b"".join(
        orjson.dumps([one.chain, one.seq, one.hash.hex(), one.signed_at, one.mac.hex()]) + b"\n"
        for one in made
    )
    handle = os.open(folder / "audit.heads", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(lines)


def _read_heads(folder: Path) -> list[Head]:
    path = folder / "audit.heads"
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        chain, seq, end, signed_at, mac = orjson.loads(line)
        found.append(
            Head(
                chain=chain,
                seq=seq,
                hash=bytes.fromhex(end),
                signed_at=datetime.fromisoformat(signed_at),
                mac=bytes.fromhex(mac),
            )
        )
    return found
