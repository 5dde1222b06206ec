"""Which encoding a text file has, found by decoding all of it; broken bytes are named with their line."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from domain import errors

CHUNK = 1 << 20
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first begins like UTF-16
_UTF16_HINT = "Open it in a spreadsheet and save it as “CSV UTF-8”."


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first bytes that can't be decoded."""

    line: int
    raw: bytes


def detect(path: Path) -> str:
    """A codec that decodes the whole file. Raises: ImportFileError."""
    head = _head(path)
    _check_kind(path, head)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _whole(path, "utf-16")
    if head.startswith(codecs.BOM_UTF8):
        return _whole(path, "utf-8-sig")
    broken = first_broken(path, "utf-8")
    if broken is None:
        return "utf-8"
    if _is_mostly_utf8(path):
        raise _error(path, "utf-8", broken)
    return _whole(path, "cp1252")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as fault:
        raise errors.ImportFileError(
            f"The file can't be read: {fault.strerror}.", where=str(path), hint="Is the path right?"
        ) from fault


def _check_kind(path: Path, head: bytes) -> None:
    if not head.strip():
        raise errors.ImportFileError("The file is empty.", where=str(path), hint="Export it again.")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise errors.ImportFileError(
            "This is a spreadsheet or an archive, no CSV file.",
            where=str(path),
            hint="Open it and save it as “CSV UTF-8”.",
        )
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(_UTF32)
    if b"\x00" in head and not utf16:
        raise errors.ImportFileError(
            "This is no text file, or UTF-16 without its mark.", where=f"{path}:1", hint=_UTF16_HINT
        )


def _whole(path: Path, encoding: str) -> str:
    """Raises: ImportFileError where the encoding does not hold to the end."""
    if broken := first_broken(path, encoding):
        raise _error(path, encoding, broken)
    return encoding


def first_broken(path: Path, encoding: str) -> Broken | None:
    """Where decoding stops, or None; reads in pieces, so that memory stays flat."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as fault:
                good = fault.object[: fault.start].decode(encoding, errors="ignore")
                return Broken(line=line + good.count("\n"), raw=fault.object[fault.start : fault.start + 4])
            if not chunk:
                return None


def _is_mostly_utf8(path: Path) -> bool:
    """More good multi-byte characters than broken ones: a damaged UTF-8 file, not a Windows one."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    good = broken = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = decoder.decode(chunk)
            if not text.isascii():
                bad = text.count("\ufffd")
                broken += bad
                good += sum(character > "\x7f" for character in text) - bad
    return good > broken


def _error(path: Path, encoding: str, broken: Broken) -> errors.ImportFileError:
    shown = broken.raw.hex(" ")
    return errors.ImportFileError(
        f"Line {broken.line} has bytes that are no {encoding} text ({shown}); nothing was imported.",
        where=f"{path}:{broken.line}",
        hint="Put that line right, or export the file again as “CSV UTF-8”.",
    )
