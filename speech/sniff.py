"""What a file is, told by its first bytes: names lie."""

from __future__ import annotations

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"SQLite format 3", "a database"),
    (b"#!AMR", "an AMR recording"),
    (b"FORM", "an AIFF recording"),
    (b"caff", "a Core Audio recording"),
    (b"<", "a web page"),
)


def kind_of(head: bytes) -> str | None:
    """FFmpeg's name of the container, or None when this is not audio that we read."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    for magic, kind in (
        (b"fLaC", "flac"),
        (b"OggS", "ogg"),
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"ID3", "mp3"),
    ):
        if head.startswith(magic):
            return kind
    return _mpeg_kind(head)


def guess_of(head: bytes) -> str:
    """What it may be instead, as the tail of a sentence."""
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return f": it looks like {name}"
    if head and all(32 <= byte < 127 or byte in (9, 10, 13) for byte in head):
        return ": it looks like text"
    return ""


def _mpeg_kind(head: bytes) -> str | None:
    """An MPEG frame's sync word: MP3 (layers II, III) or AAC in ADTS."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    layer, bitrate, rate = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return "mp3" if layer in (1, 2) and 0 < bitrate < 15 and rate < 3 else None
