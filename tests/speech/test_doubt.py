"""What the engine makes up is not believed; what somebody said is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from speech import doubt


@dataclass(frozen=True)
class Piece:
    text: str
    no_speech_prob: float = 0.05
    avg_logprob: float = -0.3
    compression_ratio: float = 1.3


@pytest.mark.parametrize(
    "piece",
    [
        Piece("And so, my fellow Americans"),
        Piece("Repeat.", 0.19, -0.96, 0.5),
        Piece("Erase UDB-E5.", 0.17, -0.71, 0.6),
        Piece("Thank you.", 0.1, -0.2),
        Piece("Call Maria Gonzalez on Maple Street", 0.4, -0.7),
    ],
)
def test_speech_is_believed(piece: Piece) -> None:
    assert doubt.believable(piece, hotwords=("Maria Gonzalez", "Maple Street"))


@pytest.mark.parametrize(
    "piece",
    [
        Piece("You", 0.94, -0.88, 0.3),
        Piece(" I'll see you in the next video.", 0.42, -1.49, 0.8),
        Piece("Music", 0.24, -1.39, 0.4),
        Piece("Thanks for watching!", 0.35, -0.4),
        Piece("[Music]"),
        Piece("♪ ♪"),
        Piece("..."),
        Piece("of the episode of the episode of the episode", 0.1, -0.2, 2.9),
        Piece("Texas, Texas. We have to take a look at it.", 0.57, -1.65, 1.5),
        Piece("Maria Gonzalez, Maple Street.", 0.5, -0.6),
    ],
)
def test_what_silence_and_noise_say_is_not_believed(piece: Piece) -> None:
    assert not doubt.believable(piece, hotwords=("Maria Gonzalez", "Maple Street"))
