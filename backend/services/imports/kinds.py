"""What the runner has to know of a kind of import, and what a row is made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, TypeAlias

from backend.services.imports.products import Layout, Product
from domain import errors, tables

Row: TypeAlias = tuple[Any, ...]
MakeRow: TypeAlias = Callable[[list[str]], Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One run's surroundings; `counts` gathers what the person should be told at the end."""

    location_id: str
    zone: tzinfo
    now: datetime
    agents: Mapping[str, str]
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """`columns` are the table's fields in the order `maker`'s rows have them."""

    name: str
    table: tables.Table
    columns: tuple[str, ...]
    insert_only: frozenset[str]
    defaults: Mapping[str, str]
    products: tuple[Product, ...]
    maker: Callable[[Context, Layout], MakeRow]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a record's cells by our words."""

    places: Mapping[str, tuple[int, ...]]

    def text(self, cells: list[str], word: str) -> str:
        """The first filled column of the word; empty where none is."""
        for place in self.places.get(word, ()):
            if found := cells[place].strip():
                return found
        return ""

    def read(self, cells: list[str], word: str, parse: Callable[[str], Any]) -> Any:
        """The first column that can be read, None where all are empty. Raises: InputError naming the word."""
        fault: errors.InputError | None = None
        for place in self.places.get(word, ()):
            if text := cells[place].strip():
                try:
                    return parse(text)
                except errors.InputError as error:
                    fault = fault or error
        if fault:
            raise errors.InputError(f"{word}: {fault.message}", where=word)
        return None


def check_text(cells: list[str]) -> None:
    """Raises: InputError for what PostgreSQL can't keep as text."""
    for cell in cells:
        if "\x00" in cell:
            raise errors.InputError("a zero byte in the text")
        if len(cell) > 20_000:
            raise errors.InputError("a field of more than 20,000 characters")
