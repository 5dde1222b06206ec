"""docs/import.md names every product that is recognised, and files with its columns are."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.services.imports import closings, crms, products

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


@pytest.mark.parametrize("product", [*crms.ALL, *closings.ALL], ids=lambda product: product.key)
def test_the_columns_that_the_page_names_are_recognised(product: products.Product) -> None:
    [row] = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| **{product.title}**")
    ]
    header = row.split("|")[2].split(", ")

    known = crms.ALL if product in crms.ALL else closings.ALL
    layout = products.recognise(header, known, PAGE)

    assert layout.product is product
    assert layout.unused == ()
