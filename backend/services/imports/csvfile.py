"""CSV records one by one with their line; a broken quote costs its own line, never the rest of the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from domain import errors

DELIMITERS = ",;\t|"
LONGEST_RECORD_LINES = 500


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the file. `fault` says why it can't be used as a row at all."""

    line: int
    cells: list[str]
    fault: str = ""


@dataclass(slots=True)
class _Lines:
    """Physical lines with push-back, and those taken for the record that is being read."""

    source: Iterator[str]
    again: deque[str] = field(default_factory=deque)
    taken: list[str] = field(default_factory=list)
    line: int = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= LONGEST_RECORD_LINES:
            raise csv.Error("a quote is opened and never closed")
        text = self.again.popleft() if self.again else next(self.source)
        self.taken.append(text)
        return text

    def next_record(self) -> None:
        self.line += len(self.taken)
        self.taken.clear()

    def only_first(self) -> str:
        """Keep the first taken line as this record; the others are read again."""
        first, *rest = self.taken
        self.again.extendleft(reversed(rest))
        self.taken[:] = [first]
        return first


class CsvFile:
    """An open file: its header (with the line it stands on), then its records."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = path.open(encoding=encoding, newline="")
        self._lines = _Lines(iter(self._file))
        try:
            self.header, self.delimiter = self._read_header(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._file.close()

    def _read_header(self, path: Path) -> tuple[list[str], str]:
        first = next((line for line in self._lines if line.strip()), "")
        if not first:
            raise errors.ImportFileError("The file is empty.", where=str(path), hint="Export it again.")
        self._lines.taken.pop()
        self._lines.next_record()
        delimiter = max(DELIMITERS, key=first.count)
        self._lines.source = chain([first], self._lines.source)
        try:
            header = next(self._reader(delimiter))
        except (csv.Error, StopIteration) as fault:
            raise errors.ImportFileError(
                "The header can't be read as CSV.",
                where=f"{path}:{self._lines.line}",
                hint="Export it again.",
            ) from fault
        self._lines.next_record()
        return header, delimiter

    def _reader(self, delimiter: str) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=delimiter, strict=True)

    def records(self) -> Iterator[Record]:
        """Every row but empty ones."""
        width = len(self.header)
        reader = self._reader(self.delimiter)
        while True:
            fault, cells = "", []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault = f"the quotes are broken: {error}"
                reader = self._reader(self.delimiter)
            if not fault and cells and len(cells) != width:
                fault = f"{len(cells)} fields where the header has {width}"
            if fault:
                cells = self._lines.only_first().rstrip("\r\n").split(self.delimiter)
            if any(cell.strip() for cell in cells):
                yield Record(self._lines.line, cells, fault)
            self._lines.next_record()
