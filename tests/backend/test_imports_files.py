"""Files that are not as they should be: the error says what is wrong and where, and nothing is lost."""

from __future__ import annotations

import codecs
from contextlib import closing
from pathlib import Path

import pytest

from backend.deps import Deps
from backend.services.imports import csvfile, encoding
from domain import errors
from tests.backend import importing
from tests.backend.importing import GHL, write

pytestmark = pytest.mark.anyio

JOSE = {"Contact Id": "1", "First Name": "José", "Phone": "206-555-0101"}


@pytest.mark.parametrize(
    ("written", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
async def test_every_encoding_of_a_spreadsheet_is_read(
    deps: Deps, tmp_path: Path, written: str, named: str
) -> None:
    report = await importing.leads(deps, write(tmp_path / "a.csv", GHL, JOSE, encoding=written))

    assert report.started.encoding == named
    assert (await importing.rows(deps))[0]["name"] == "José"


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_other_delimiters_are_seen(deps: Deps, tmp_path: Path, delimiter: str) -> None:
    report = await importing.leads(deps, write(tmp_path / "a.csv", GHL, JOSE, delimiter=delimiter))

    assert report.inserted == 1


async def test_broken_bytes_are_named_with_their_line_and_nothing_is_stored(
    deps: Deps, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", GHL, JOSE, JOSE | {"Contact Id": "2"})
    path.write_bytes(path.read_bytes() + b"3,Ren\xe9,,206-555-0103,,,,\r\n")

    with pytest.raises(
        errors.ImportFileError, match=r"Line 4 has bytes that are no utf-8 text \(e9"
    ) as fault:
        await importing.leads(deps, path)

    assert fault.value.where == f"{path}:4"
    assert await importing.rows(deps) == []
    assert await importing.rows(deps, "locations") == []


def test_a_broken_byte_behind_megabytes_is_found_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("é,b\n".encode() * 400_000 + b"\xff\n")

    broken = encoding.first_broken(path, "utf-8")

    assert broken is not None
    assert broken.line == 400_001


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (codecs.BOM_UTF16_LE, "is empty"),
        (codecs.BOM_UTF8 + b"\r\n\r\n", "is empty"),
        ("Contact Id,First Name\n".encode("utf-32"), "is no text file"),
        (b"PK\x03\x04 and so on", "no CSV file"),
        ("Contact Id,First Name\n".encode("utf-16-le"), "UTF-16 without its mark"),
        (codecs.BOM_UTF16_LE + b"C\x00\x00\xd8\x00\xd8", "no utf-16 text"),
    ],
)
async def test_what_is_no_csv_file_is_said_so(deps: Deps, tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(errors.ImportFileError, match=words):
        await importing.leads(deps, path)


async def test_a_missing_file_is_said_so(deps: Deps, tmp_path: Path) -> None:
    with pytest.raises(errors.ImportFileError, match="can't be read: No such file"):
        await importing.leads(deps, tmp_path / "none.csv")


async def test_a_wrong_header_says_what_was_found_what_is_needed_and_what_is_known(
    deps: Deps, tmp_path: Path
) -> None:
    with pytest.raises(errors.ImportFileError) as fault:
        await importing.leads(deps, write(tmp_path / "a.csv", ("Colour", "Size"), {"Size": "9"}))

    said = str(fault.value)
    assert "Columns found: Colour, Size." in said
    assert "a column with a name, a telephone number or an e-mail address" in said
    assert all(product in said for product in ("GoHighLevel", "Follow Up Boss", "HubSpot"))


async def test_bad_rows_go_into_a_file_with_line_and_reason_and_the_rest_is_imported(
    deps: Deps, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "mixed.csv",
        GHL,
        JOSE,
        {"Contact Id": "2", "Tags": "nobody"},
        {"Contact Id": "3", "First Name": "Bad", "Phone": "12"},
        {"Contact Id": "4", "First Name": "Bad", "Email": "a@b"},
        {"Contact Id": "5", "First Name": "Bad", "Created": "31/31/2026"},
        {"Contact Id": "6", "First Name": "Bad", "Created": "2031-01-01"},
        JOSE | {"First Name": "Twice"},
    )
    with path.open("a", encoding="utf-8") as file:
        file.write("7,too,many,,,,,,,fields\n8,too few\n9,Last,Good,206-555-0109,,,,\n")

    report = await importing.leads(deps, path)

    assert {lead["name"] for lead in await importing.rows(deps)} == {"José", "Last Good"}
    assert (report.rows, report.inserted, report.rejected) == (10, 2, 8)
    found = {row["rejected_line"]: row["rejected_reason"] for row in importing.rejected(report)}
    assert found == {
        "3": "neither a name nor a telephone number nor an e-mail address",
        "4": "phone: '12' is no telephone number",
        "5": "email: 'a@b' is no e-mail address",
        "6": "created_at: '31/31/2026' is no date",
        "7": "created_at: '2031-01-01' lies in the future",
        "8": "the same as line 2: that one was taken",
        "9": "10 fields where the header has 8",
        "10": "2 fields where the header has 8",
    }


async def test_the_file_of_rejected_rows_can_be_put_right_and_imported(deps: Deps, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GHL, JOSE, {"Contact Id": "2", "First Name": "Bea", "Phone": "12"})
    first = await importing.leads(deps, path)
    assert first.rejected_path is not None
    mended = tmp_path / "mended.csv"
    mended.write_text(
        first.rejected_path.read_text(encoding="utf-8-sig").replace(",12,", ",206-555-0102,"),
        encoding="utf-8",
    )

    second = await importing.leads(deps, mended)

    assert (second.inserted, second.rejected, second.rejected_path) == (1, 0, None)
    assert first.rejected_path.stat().st_mode & 0o077 == 0


async def test_a_quote_that_is_never_closed_costs_its_own_line_only(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f'{n},Given{n},Family,206-555-{n:04d},,,,"a, b"' for n in range(1000)]
    rows[3] = '3,"Broken,Family,206-555-0003,,,,'
    path.write_text(",".join(GHL) + "\n" + "\n".join(rows), encoding="utf-8")

    report = await importing.leads(deps, path)

    assert (report.inserted, report.rejected) == (999, 1)
    assert importing.rejected(report)[0]["rejected_line"] == "5"


def test_a_field_over_several_lines_keeps_the_lines_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n2,x\n', encoding="utf-8")

    with closing(csvfile.CsvFile(path, "utf-8")) as file:
        records = list(file.records())

    assert [(record.line, record.cells) for record in records] == [(2, ["1", "two\nlines"]), (5, ["2", "x"])]


async def test_of_two_columns_of_one_name_the_filled_one_counts(deps: Deps, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Contact Id,First Name,Phone,Phone,Email\n1,Ana,,206-555-0101,\n")

    report = await importing.leads(deps, path)

    assert report.started.unused == ()
    assert (await importing.rows(deps))[0]["phone"] == "+12065550101"


async def test_what_is_told_of_the_rows_counts_imported_ones_only(deps: Deps, tmp_path: Path) -> None:
    bad = JOSE | {"Contact Id": "2", "Phone": "12"}
    report = await importing.leads(deps, write(tmp_path / "a.csv", GHL, bad, JOSE))

    assert (report.inserted, report.rejected) == (1, 1)
    assert report.notes == ("1 leads say neither seller nor buyer: taken as sellers",)
