"""What a cell says, in every way people and spreadsheets write it; odd input is an error, never a crash."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.services.imports import cells, csvfile, kinds, leads, products, sales, words
from domain import errors

SEATTLE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-18T21:36:17-07:00", datetime(2026, 9, 19, 4, 36, 17, tzinfo=UTC)),
        ("2026-09-18T21:36:17.000Z", datetime(2026, 9, 18, 21, 36, 17, tzinfo=UTC)),
        ("Sep 18 2026 09:37 PM", datetime(2026, 9, 19, 4, 37, tzinfo=UTC)),
        ("September-18-2026", datetime(2026, 9, 18, 7, 0, tzinfo=UTC)),
        ("September 18, 2026", datetime(2026, 9, 18, 7, tzinfo=UTC)),
        ("9/18/2026", datetime(2026, 9, 18, 7, tzinfo=UTC)),
        ("09/18/2026 12:05 am", datetime(2026, 9, 18, 7, 5, tzinfo=UTC)),
        ("2026-01-02 09:14", datetime(2026, 1, 2, 17, 14, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_every_products_way(text: str, expected: datetime) -> None:
    assert cells.moment(text, SEATTLE) == expected


@pytest.mark.parametrize("text", ["yesterday", "13/13/2026", "2026-02-30", "0026-01-01", "2026", "", "25:00"])
def test_what_is_no_date_is_an_error(text: str) -> None:
    with pytest.raises(errors.InputError):
        cells.moment(text, SEATTLE)


def test_a_day_is_the_day_that_is_written() -> None:
    assert cells.day("20141013T000000") == cells.day("10/13/2014") == date(2014, 10, 13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$450,000", 45_000_000),
        ("450k", 45_000_000),
        ("1.25M", 125_000_000),
        ("450000.00 USD", 45_000_000),
        ("0", 0),
    ],
)
def test_prices(text: str, expected: int) -> None:
    assert cells.cents(text) == expected


@pytest.mark.parametrize("text", ["-5", "4,50,000", "1e99", "999999999m", "k", "$", "about 400"])
def test_what_is_no_price_is_an_error(text: str) -> None:
    with pytest.raises(errors.InputError):
        cells.cents(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("98103", "98103"),
        ("98103-1234", "98103"),
        ("2134", "02134"),
        ("98103.0", "98103"),
        ("'02134", "02134"),
    ],
)
def test_zip_codes_get_their_lost_zero_back(text: str, expected: str) -> None:
    assert cells.zip_code(text) == expected


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3-6 Months", 180),
        ("0 - 30 days", 30),
        ("12+ months", 360),
        ("ASAP", 0),
        ("just looking", None),
        ("9" * 40 + " years", 3650),
    ],
)
def test_timelines(text: str, days: int | None) -> None:
    assert words.timeline_days(text) == days


def test_stop_as_a_part_of_another_word_is_no_opt_out() -> None:
    assert words.opt_out_tag(["stopover", "nonstop buyer", "DNC list"]) == "DNC list"


_CELL = st.text(alphabet=st.sampled_from('ab1,;"\n\r\t $-/.:@+é%\x00'), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=1, max_size=4), max_size=8))
def test_any_text_is_read_to_its_end(rows: list[list[str]]) -> None:
    text = "x,y,z\n" + "\n".join(",".join(row) for row in rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_text(text, encoding="utf-8", newline="")

        with closing(csvfile.CsvFile(path, "utf-8")) as file:
            records = list(file.records())

    lines = [record.line for record in records]
    assert lines == sorted(set(lines))
    assert all(record.fault or len(record.cells) == 3 for record in records)


@pytest.mark.parametrize("kind", [leads.KIND, sales.KIND], ids=["leads", "sales"])
def test_any_cells_make_a_row_or_an_error_that_says_why(kind: kinds.ImportKind) -> None:
    context = kinds.Context(location_id="x", zone=SEATTLE, now=NOW, agents={})

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        product = data.draw(st.sampled_from(kind.products))
        header = [names[0] for names in product.columns.values()]
        make = kind.maker(context, products.recognise(header, [product], Path("a.csv")))
        row = data.draw(st.lists(st.text(max_size=20) | _CELL, min_size=len(header), max_size=len(header)))
        try:
            made = make(row)
        except errors.InputError:
            return
        assert len(made) == len(kind.columns)
        assert all(abs(value) < 2**63 for value in made if isinstance(value, int))

    check()
