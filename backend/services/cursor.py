"""Where a device stands in the feed: packed into the few bytes that travel up and down with every pull.

A device treats it as opaque. It names the newest change that the device knows, the locations it was told of and how far
each is (loaded, being loaded, not yet), and, while a load is under way, where that stands. A seal over all of it, made with
the incarnation and a secret of the database, tells our own from any other: one that is ours and ahead of the feed is proof
that the database was set back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

_FORMAT = 1
_WITH_LOAD, _ALL_LOADED, _WITH_AFTER = 1, 2, 4
_HEAD = struct.Struct(">BB")
_SEAL = 8
_MARK = 6


class Reached(IntEnum):
    """How far a location is that the device was told of."""

    NOT_YET = 0
    LOADING = 1
    LOADED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A first sync under way: at which table (-1: what is due today comes first), after which (location, id), rows so far."""

    table: int = -1
    after: tuple[str, str] | None = None
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    seq: int
    scopes: Mapping[bytes, Reached] = field(default_factory=dict)
    load: Load | None = None

    def told(self, granted: Collection[str]) -> bool:
        """Does the device know that these, and no others, are its locations?"""
        return set(self.scopes) == {mark(scope) for scope in granted}

    def those(self, reached: Reached, among: Collection[str]) -> list[str]:
        """The locations of `among` that are so far, in order."""
        return sorted(scope for scope in among if self.scopes.get(mark(scope), Reached.NOT_YET) is reached)

    def text(self, key: bytes) -> str:
        """Sealed with `key` (`key_of`)."""
        packed = self._packed()
        return base64.urlsafe_b64encode(_sealed(packed, key) + packed).decode().rstrip("=")

    def _packed(self) -> bytes:
        all_loaded = all(reached is Reached.LOADED for reached in self.scopes.values())
        flags = _ALL_LOADED if all_loaded else 0
        if self.load:
            flags |= _WITH_LOAD | (_WITH_AFTER if self.load.after else 0)
        packed = bytearray(_HEAD.pack(_FORMAT, flags))
        packed += _number(self.seq) + _number(len(self.scopes))
        for scope, reached in sorted(self.scopes.items()):
            packed += scope + (b"" if all_loaded else bytes([reached]))
        if self.load:
            packed += _packed_load(self.load)
        return bytes(packed)


def key_of(incarnation: str, secret: str) -> bytes:
    return hashlib.blake2b(f"{incarnation}\n{secret}".encode(), digest_size=32).digest()


def mark(scope: str) -> bytes:
    """A location's short name; two of one person's are told apart but for one case in 2^48."""
    return hashlib.blake2b(scope.encode(), digest_size=_MARK).digest()


def opened(text: str, key: bytes) -> Cursor:
    """Raises: ValueError for anything that `text` did not make with this key."""
    seal, packed = _taken_apart(text)
    if not hmac.compare_digest(seal, _sealed(packed, key)):
        raise ValueError("another seal")
    return _parsed(packed)


def parsed(text: str) -> Cursor:
    """What it says, whoever made it. Raises: ValueError."""
    return _parsed(_taken_apart(text)[1])


def _taken_apart(text: str) -> tuple[bytes, bytes]:
    padded = text + "=" * (-len(text) % 4)
    whole = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    return whole[:_SEAL], whole[_SEAL:]


def _sealed(packed: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(packed, key=key, digest_size=_SEAL).digest()


def _parsed(packed: bytes) -> Cursor:
    reader = _Reader(packed)
    version, flags = _HEAD.unpack(reader.take(_HEAD.size))
    if version != _FORMAT:
        raise ValueError(version)
    seq, count = reader.number(), reader.number()
    scopes = {}
    for _ in range(count):
        scope = reader.take(_MARK)
        scopes[scope] = Reached.LOADED if flags & _ALL_LOADED else Reached(reader.take(1)[0])
    load = _read_load(reader, flags) if flags & _WITH_LOAD else None
    if reader.left:
        raise ValueError("more than a cursor")
    return Cursor(seq=seq, scopes=scopes, load=load)


def _packed_load(load: Load) -> bytes:
    after = b"".join(uuid.UUID(part).bytes for part in load.after) if load.after else b""
    return _number(load.table + 1) + after + _number(load.done) + _number(load.total)


def _read_load(reader: _Reader, flags: int) -> Load:
    table = reader.number() - 1
    after = None
    if flags & _WITH_AFTER:
        after = (str(uuid.UUID(bytes=reader.take(16))), str(uuid.UUID(bytes=reader.take(16))))
    return Load(table=table, after=after, done=reader.number(), total=reader.number())


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)


@dataclass(slots=True)
class _Reader:
    left: bytes

    def take(self, count: int) -> bytes:
        if len(self.left) < count:
            raise ValueError("cut off")
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 56:
                raise ValueError("too large")
