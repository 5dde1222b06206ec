"""When not to believe the engine: words it makes up out of silence and noise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

# What Whisper says when it hears nothing (OpenAI's training subtitles); believed only when it is sure of it.
STOCK_PHRASES = frozenset(
    {
        "you",
        "bye",
        "music",
        "applause",
        "thank you",
        "thank you very much",
        "thank you for watching",
        "thank you so much for watching",
        "thanks for watching",
        "thanks for watching everyone",
        "please subscribe",
        "please subscribe to my channel",
        "subscribe to my channel",
        "like and subscribe",
        "ill see you in the next video",
        "see you in the next video",
        "see you next time",
        "subtitles by the amaraorg community",
        "transcription by castingwords",
    }
)
_NOT_WORDS = re.compile(r"[^a-z0-9 ]+")
_ONLY_A_SOUND = re.compile(r"^[\s\[(*♪].*[\])*♪]\s*$")


class Piece(Protocol):
    """The part of faster-whisper's segment that says how sure it is."""

    @property
    def text(self) -> str: ...
    @property
    def no_speech_prob(self) -> float: ...
    @property
    def avg_logprob(self) -> float: ...
    @property
    def compression_ratio(self) -> float: ...


def believable(piece: Piece, hotwords: Sequence[str] = ()) -> bool:
    """Whether somebody said this. The audio is kept either way, so a wrong "no" costs a note, never the recording."""
    words = plain(piece.text)
    if not words or _ONLY_A_SOUND.match(piece.text.strip()):
        return False
    if piece.compression_ratio > 2.6:
        return False
    if piece.no_speech_prob > 0.6 and piece.avg_logprob < -0.7:
        return False
    if piece.no_speech_prob > 0.3 and piece.avg_logprob < -1.2:
        return False
    unsure = piece.no_speech_prob > 0.3 or piece.avg_logprob < -0.8
    return not (unsure and (words in STOCK_PHRASES or _echoes(words, hotwords)))


def plain(text: str) -> str:
    """Small letters, digits and single spaces."""
    return " ".join(_NOT_WORDS.sub("", text.lower()).split())


def _echoes(words: str, hotwords: Sequence[str]) -> bool:
    """Whether these are the hints read back: two or more of them, in a row, and nothing else."""
    named = {word for hint in hotwords for word in plain(hint).split()}
    said = words.split()
    return len(said) > 3 and all(word in named for word in said)
