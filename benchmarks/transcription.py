"""Transcription of real speech: compute a second of audio, memory, and word errors with and without hints.

Run: .venv/bin/python -m benchmarks.transcription [--clips 40] [--minutes 30]
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from benchmarks import _machine
from speech import audio, models, whisper

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_NUMBERS = (
    {word: number for number, word in enumerate(_UNITS)}
    | {"oh": 0, "seventeen": 17, "eighteen": 18, "nineteen": 19}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
    | {word: number for number, word in enumerate(_ORDINALS, 1)}
)

Units = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A recording and what was said in it."""

    path: Path
    said: str


@dataclass(slots=True, kw_only=True)
class Score:
    """Sums over clips; units are words, or letters for dictated spellings."""

    exact: int = 0
    clips: int = 0
    errors: int = 0
    words: int = 0
    audio_seconds: float = 0.0
    compute_seconds: float = 0.0

    def row(self, name: str) -> str:
        rate = 100 * self.errors / max(1, self.words)
        speed = self.compute_seconds / max(0.001, self.audio_seconds)
        whole = f"{self.exact}/{self.clips}"
        return f"{name:<48}{rate:6.1f} %{whole:>9}{self.words:7d}{self.audio_seconds:9.1f}{speed:8.3f}{_machine.peak_mb():8.0f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clips", type=int, default=40, help="how many AN4 clips")
    arguments.add_argument("--minutes", type=int, default=0, help="also a recording of this length")
    arguments.add_argument("--only-long", action="store_true", help="skip the sets")
    chosen = arguments.parse_args()
    if not DATA.exists():
        print(f"not measured: the recordings are not here ({DATA}); they are no part of this repository")
        return
    folder = models.ModelStore(root=Path("/nonexistent")).resolve()
    engine = whisper.WhisperTranscriber(lambda: folder)
    hints = street_and_name_hints()
    print(f"model: {folder}; before loading {_machine.peak_mb():.0f} MB")
    print(f"{'set':<48}{'errors':>8}{'exact':>9}{'units':>7}{'audio s':>9}{'s / s':>8}{'peak MB':>8}")
    for name, clips in () if chosen.only_long else sets(chosen.clips):
        units = letters_of if name.startswith("AN4") else words_of
        print(measured(engine, clips, (), units).row(name))
        print(
            measured(engine, clips, hints, units).row(f"{'':4}with {len(hints)} names and streets as hints")
        )
    if chosen.minutes:
        print(long_recording(engine, chosen.minutes).row(f"LibriVox repeated to {chosen.minutes} min"))


def sets(clips: int) -> Iterable[tuple[str, list[Clip]]]:
    yield "JFK", references("jfk")
    yield "LJSpeech + LibriVox (read)", references("ljspeech") + references("librivox")
    every = references("an4_test")
    yield f"AN4 (dictated), {clips} of {len(every)}", every[:: max(1, len(every) // clips)][:clips]
    yield "voice notes (synthetic voice)", voice_notes()


def references(name: str) -> list[Clip]:
    lines = (DATA / "speech" / "refs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return [Clip(path=DATA / "speech" / row[2], said=row[3]) for row in rows if row[0] == name]


def voice_notes() -> list[Clip]:
    notes = json.loads((DATA / "voice_notes" / "notes.json").read_text(encoding="utf-8"))["notes"]
    clips = [Clip(path=DATA / "voice_notes" / "audio" / note["audio"], said=note["text"]) for note in notes]
    return [clip for clip in clips if clip.path.exists()]


def street_and_name_hints() -> tuple[str, ...]:
    """What the app would know: the contacts of the notes. A set without such names gets them as distractors."""
    known = json.loads((DATA / "voice_notes" / "notes.json").read_text(encoding="utf-8"))
    streets = [note["gold"].get("address") or "" for note in known["notes"]]
    plain = [re.sub(r"^\d+\s+", "", street) for street in streets if street]
    return whisper.clean_hotwords([*known["contacts"][:18], *plain])


def measured(
    engine: whisper.WhisperTranscriber, clips: Sequence[Clip], hints: Sequence[str], units: Units
) -> Score:
    score = Score()
    for clip in clips:
        heard = engine.transcribe(clip.path, hotwords=hints)
        said, got = units(clip.said), units(heard.text)
        wrong = distance(said, got)
        score.errors += wrong
        score.exact += wrong == 0
        score.clips += 1
        score.words += len(said)
        score.audio_seconds += heard.audio_seconds
        score.compute_seconds += heard.compute_seconds
    return score


def long_recording(engine: whisper.WhisperTranscriber, minutes: int) -> Score:
    clips = references("librivox")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.flac"
        said = joined(path, clips, seconds=minutes * 60 - 1)
        return measured(engine, [Clip(path=path, said=said)], (), words_of)


def joined(path: Path, clips: Sequence[Clip], *, seconds: float) -> str:
    said: list[str] = []
    written = 0
    with soundfile.SoundFile(path, "w", samplerate=audio.RATE, channels=1) as out:
        while True:
            for clip in clips:
                samples, _rate = soundfile.read(clip.path, dtype="int16")
                if (written + len(samples)) / audio.RATE > seconds:
                    return " ".join(said)
                out.write(samples)
                written += len(samples)
                said.append(clip.said)


def words_of(text: str) -> list[str]:
    """Small letters without punctuation; numbers digit by digit, so that "2981" and "two nine eight one" agree."""
    plain = re.sub(r"[^a-z0-9' ]+", " ", text.lower()).replace("'", "")
    found: list[str] = []
    tens = False
    for word in re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", plain).split():
        number = _NUMBERS.get(word)
        if tens and number is not None and 0 < number < 10:
            found.pop()
        found.extend(word if word.isdigit() else str(number) if number is not None else [word])
        tens = word in _TENS
    return found


def letters_of(text: str) -> list[str]:
    """For dictated spellings: "J-A-N-E-T" and "JANET" are both right, so letters are compared, not words."""
    return list("".join(words_of(text)))


def distance(said: Sequence[str], got: Sequence[str]) -> int:
    """Words changed, missing or added."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


if __name__ == "__main__":
    main()
