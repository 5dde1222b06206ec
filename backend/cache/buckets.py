"""Closed buckets in this process's memory: what a day or an hour that is over adds up to, under the version that it has.

An answer reads most of what it needs from here, however often today is touched. A value is only kept if nobody touched its bucket
since before the snapshot that it was read in was opened: else an old value could come to lie under a new version.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.cache.stats import Stats
from backend.cache.versions import Versions

MOST = 300_000

Key = tuple[Hashable, str]


@dataclass(frozen=True, slots=True)
class View:
    """What was known when a snapshot was about to be opened."""

    revision: int
    line: int


@dataclass(slots=True)
class Buckets:
    """`what` names a kind of value; its buckets are told apart by their tags (stream/entries.py)."""

    versions: Versions
    stats: Stats
    most: int = MOST
    _of: OrderedDict[Key, tuple[bytes, Any]] = field(default_factory=OrderedDict)

    def view(self) -> View:
        """To be taken before the transaction begins."""
        return View(self.versions.revision, self.versions.line)

    def get(self, what: str, kind: Hashable, tags: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
        """What is kept by tag, and the tags of what is not."""
        if not self.versions.known:
            return {}, list(tags)
        found, missing = {}, []
        for tag in tags:
            held = self._of.get((kind, tag))
            if held is not None and held[0] == self.versions.of(tag):
                found[tag] = held[1]
            else:
                missing.append(tag)
        counted = self.stats.counted(what)
        counted.hits += len(found)
        counted.misses += len(missing)
        return found, missing

    def put(self, kind: Hashable, values: Sequence[tuple[str, Any]], view: View) -> None:
        """Keep what was read in a snapshot that was opened after `view` was taken."""
        if not self.versions.known or self.versions.line != view.line:
            return
        for tag, value in values:
            if not self.versions.touched_since(tag, view.revision):
                self._of[kind, tag] = (self.versions.of(tag), value)
        while len(self._of) > self.most:
            self._of.popitem(last=False)
