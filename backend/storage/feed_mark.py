"""How far the feed had come, in a file beside the database: a database behind it was set back, whatever was written since."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.storage.feed import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`database`: tells it, and all copies of it, from others; `life`, `seq`: its ver_floor and head, which only grow."""

    database: str
    life: int
    seq: int

    @classmethod
    def of(cls, head: Head) -> Mark:
        return cls(database=head.lineage, life=head.ver_floor, seq=head.seq)

    def is_ahead_of(self, other: Mark) -> bool:
        """The same database was further once."""
        return self.database == other.database and (self.life, self.seq) > (other.life, other.seq)


def read(path: Path) -> Mark | None:
    """None where there is none, or none that can be read. Raises: OSError."""
    try:
        said = json.loads(path.read_text())
        return Mark(database=str(said["database"]), life=int(said["life"]), seq=int(said["seq"]))
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def write(path: Path, mark: Mark) -> None:
    """Whole or not at all. Not flushed: after a power cut it may be older, never ahead. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(asdict(mark)))
    new.replace(path)
