"""Whose export a CSV file is, by its column names; the tables are in crms.py and closings.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain import errors

Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`columns`: our word → its header names, best first. `signs`: headers by which it is known; one of `own` is enough."""

    key: str
    title: str
    signs: frozenset[str]
    columns: Columns
    needs: tuple[tuple[str, ...], ...]
    needs_words: str
    examples: str
    least_signs: int = 2
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A recognised header: for each of our words the places of its columns, and what stays unused."""

    product: Product
    places: Mapping[str, tuple[int, ...]]
    unused: tuple[str, ...]


def plain(header: str) -> str:
    """Letters and digits only, lower case: "Email 1 - Type" and "email1_type" are one."""
    return re.sub(r"[^a-z0-9]", "", header.lower())


def names(*headers: str) -> tuple[str, ...]:
    return tuple(plain(header) for header in headers)


def columns(spec: str) -> Columns:
    """`word = Header, Other header` lines."""
    pairs = (line.split("=", 1) for line in spec.splitlines() if line.strip())
    return {word.strip(): names(*headers.split(",")) for word, headers in pairs}


def recognise(header: Sequence[str], products: Sequence[Product], path: Path) -> Layout:
    """The product whose header this is. Raises: ImportFileError naming what was found and what is needed."""
    names = [plain(name) for name in header]
    found = frozenset(names)
    best = max(products, key=lambda product: _fit(product, found))
    layout = _layout(best, header, names)
    known = len(best.signs & found) >= best.least_signs or bool(best.own & found)
    if not known or not all(any(word in layout.places for word in group) for group in best.needs):
        raise _unknown(header, products, path)
    return layout


def _fit(product: Product, found: frozenset[str]) -> tuple[int, int, int]:
    columns = {name for names in product.columns.values() for name in names}
    return len(product.signs & found), len(product.own & found), len(columns & found)


def _layout(product: Product, header: Sequence[str], names: Sequence[str]) -> Layout:
    standing: dict[str, list[int]] = {}  # a name may head several columns: two of "Phone", say
    for place, name in enumerate(names):
        standing.setdefault(name, []).append(place)
    places = {
        word: found
        for word, wanted in product.columns.items()
        if (found := tuple(place for name in wanted for place in standing.get(name, ())))
    }
    used = {place for found in places.values() for place in found}
    unused = tuple(name for place, name in enumerate(header) if place not in used and name.strip())
    return Layout(product=product, places=places, unused=unused)


def _unknown(header: Sequence[str], products: Sequence[Product], path: Path) -> errors.ImportFileError:
    shown = ", ".join(name.strip()[:40] for name in header[:30]) or "none"
    wanted = "; ".join(
        f"{product.title}: {product.needs_words}, and columns such as {product.examples}"
        for product in products
    )
    return errors.ImportFileError(
        f"This header is of no export that is known; nothing was imported. Columns found: {shown}.",
        where=f"{path}:1",
        hint=f"Known are {wanted}. Export again with the header row, or rename the columns.",
    )
