"""The file of rows that could not be imported: each with its line and reason, ready to be put right and imported."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from domain import errors

LINE, REASON = "rejected_line", "rejected_reason"


class Rejects:
    """Made with its first row; a run without rejected rows leaves no file (an older one goes)."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        # A file of rejects that is imported again carries these two columns already.
        self._own = [place for place, name in enumerate(header) if name in (LINE, REASON)]
        self._header = self._without(header)
        self._file: TextIOWrapper | None = None

    def _without(self, cells: Sequence[str]) -> list[str]:
        return [cell for place, cell in enumerate(cells) if place not in self._own]

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        if self._file is None:
            self._file = self._open()
            self._write([LINE, REASON, *self._header])
        self._write([str(line), reason, *self._without(cells)])
        self.count += 1

    def _write(self, cells: Sequence[str]) -> None:
        if self._file is not None:
            csv.writer(self._file).writerow(cells)

    def _open(self) -> TextIOWrapper:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            half = os.open(self._half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as fault:
            raise errors.DiskFullError(
                f"The file of rejected rows can't be written: {fault.strerror}.",
                where=str(self.path),
                hint="Make room or choose another JORGE_DATA_DIR, and run the import again.",
            ) from fault
        return TextIOWrapper(os.fdopen(half, "wb"), encoding="utf-8-sig", newline="")

    @property
    def _half(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    def close(self) -> Path | None:
        """Where the file lies, or None without rejected rows."""
        if self._file is None:
            self.path.unlink(missing_ok=True)
            return None
        self._file.close()
        self._half.replace(self.path)
        return self.path
