"""What an audience sees of a channel at this moment, by parts, and what of it changed since an offset. Pure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

NEVER = -1
"""Nothing was sent yet: a snapshot is due."""
WHOLE = ""
MOST_GONE = 1_024
MOVING = frozenset({"as_of", "last_updated", "watermark", "cache_hit", "source"})
"""Fields that change although the figures don't. Parts of a keyed channel have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Figures as a service made them. Of a keyed channel each top-level entry of `data` is a part of its own."""

    data: Mapping[str, Any]
    as_of: str
    watermark: str | None = None
    complete: bool = True


@dataclass(slots=True)
class _Part:
    offset: int
    digest: bytes
    body: bytes


@dataclass(slots=True)
class Picture:
    """`offset` grows by one with each change; `epoch` names the numbering (another process, another epoch)."""

    keyed: bool = False
    epoch: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    offset: int = 0
    made: Made | None = None
    floor: int = 0
    """Who got less far than this needs a snapshot: what was taken away since then is forgotten."""
    _parts: dict[str, _Part] = field(default_factory=dict)
    _gone: dict[str, int] = field(default_factory=dict)

    def keep(self, made: Made, *, always: bool = False) -> bool:
        """Note it; True if members have to hear (`always`: even if only its time moved)."""
        number = self.offset + 1
        parts = made.data if self.keyed else {WHOLE: made.data}
        changed = self.made is None or always
        for key, value in parts.items():
            changed |= self._keep_part(key, value, number, always=always)
        for key in [key for key in self._parts if key not in parts]:
            del self._parts[key]
            self._gone[key] = number
            changed = True
        self.made = made
        if changed:
            self.offset = number
        self._forget()
        return changed

    def covers(self, epoch: str, offset: int) -> bool:
        """Can who got so far go on without a snapshot?"""
        return epoch == self.epoch and max(1, self.floor) <= offset <= self.offset

    def since(self, offset: int) -> bytes:
        """JSON of what changed after `offset` (NEVER: of all); of a keyed channel null stands for what is gone."""
        if not self.keyed:
            return self._parts[WHOLE].body
        shown = [(key, part.body) for key, part in self._parts.items() if part.offset > offset]
        if offset != NEVER:
            shown += [(key, b"null") for key, at in self._gone.items() if at > offset]
        return b"{%b}" % b",".join(b"%b:%b" % (orjson.dumps(key), body) for key, body in shown)

    def _keep_part(self, key: str, value: Any, number: int, *, always: bool) -> bool:
        body = orjson.dumps(value)
        old = self._parts.get(key)
        self._gone.pop(key, None)
        if old is not None and old.body == body and not always:
            return False
        found = b"" if self.keyed else hashlib.blake2b(orjson.dumps(steady(value)), digest_size=16).digest()
        new = old is None or always or self.keyed or old.digest != found
        self._parts[key] = _Part(number if old is None or new else old.offset, found, body)
        return new

    def _forget(self) -> None:
        while len(self._gone) > MOST_GONE:
            key = next(iter(self._gone))
            self.floor = max(self.floor, self._gone.pop(key))


def steady(value: Any) -> Any:
    """`value` without the fields that say only when it was made."""
    if isinstance(value, Mapping):
        return {key: steady(found) for key, found in value.items() if key not in MOVING}
    if isinstance(value, list | tuple):
        return [steady(found) for found in value]
    return value
