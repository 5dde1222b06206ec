"""The real engine on real speech: what was said, nothing that was not, and clear errors."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from domain import errors
from speech import audio, models, whisper
from tests.fakes import FakeClock
from tests.speech import samples


def test_jfk_is_heard(engine: whisper.WhisperTranscriber) -> None:
    told: list[float] = []

    heard = engine.transcribe(samples.shared("speech/jfk/jfk.flac"), on_progress=told.append)

    assert "ask what you can do for your country" in heard.text
    assert heard.audio_seconds == pytest.approx(11.0, abs=0.01)
    assert heard.engine == "faster-whisper tiny.en"
    assert all(0.5 < segment.confidence <= 1 for segment in heard.segments)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("as_format", ["m4a", "webm"])
def test_a_phones_stereo_recording_is_heard_as_well(
    engine: whisper.WhisperTranscriber, tmp_path: Path, as_format: str
) -> None:
    (spoken,) = audio.blocks(samples.shared("speech/jfk/jfk.flac"))
    path = samples.encode(tmp_path / "note", (spoken * 32767).astype(np.int16), as_format=as_format)

    assert "fellow americans" in engine.transcribe(path).text.lower()


def test_a_dictated_number_is_heard(engine: whisper.WhisperTranscriber) -> None:
    assert "2981" in engine.transcribe(samples.shared("speech/an4_test/an391-mjwl-b.flac")).text


def test_a_field_note_is_heard_with_the_names_given_as_hints(engine: whisper.WhisperTranscriber) -> None:
    notes = json.loads(samples.shared("voice_notes/notes.json").read_text(encoding="utf-8"))
    note = notes["notes"][0]

    heard = engine.transcribe(
        samples.shared(f"voice_notes/audio/{note['audio']}"), hotwords=notes["contacts"]
    )

    assert "Maria Gonzalez" in heard.text
    assert "divorce" in heard.text


@pytest.mark.parametrize("make", [samples.silence, samples.noise, samples.tone])
@pytest.mark.parametrize("hotwords", [(), ("Maria Gonzalez", "Maple Street")])
def test_silence_noise_and_a_tone_say_nothing(
    engine: whisper.WhisperTranscriber, tmp_path: Path, make: type, hotwords: tuple[str, ...]
) -> None:
    path = samples.encode(tmp_path / "note.wav", make(6))

    heard = engine.transcribe(path, hotwords=hotwords)

    assert heard.segments == ()
    assert not heard.heard_speech


@pytest.mark.parametrize("number", range(1, 6))
def test_real_noise_says_nothing_even_with_hints(engine: whisper.WhisperTranscriber, number: int) -> None:
    path = samples.shared(f"speech/noise_rir/noise{number}.flac")

    assert engine.transcribe(path, hotwords=("Maria Gonzalez", "Maple Street")).text == ""


def test_a_long_recording_keeps_its_times_over_the_blocks(tiny: Path, tmp_path: Path) -> None:
    engine = whisper.WhisperTranscriber(lambda: tiny, tuning=whisper.Tuning(block_seconds=30))
    (spoken,) = audio.blocks(samples.shared("speech/jfk/jfk.flac"))
    once = np.concatenate([(spoken * 32767).astype(np.int16), samples.silence(14)])
    path = samples.encode(tmp_path / "long.flac", np.tile(once, 3), as_format="flac")

    heard = engine.transcribe(path)

    assert heard.text.lower().count("ask what you can do") == 3
    starts = [segment.start for segment in heard.segments if "fellow" in segment.text]
    assert starts == pytest.approx([0, 25, 50], abs=2)


def test_a_corrupt_recording_is_an_audio_error_and_stays(
    engine: whisper.WhisperTranscriber, tmp_path: Path
) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(b"RIFF" + bytes(500))

    with pytest.raises(errors.AudioError):
        engine.transcribe(path)

    assert path.exists()


def test_two_threads_share_one_model(engine: whisper.WhisperTranscriber) -> None:
    path = samples.shared("speech/an4_test/an392-mjwl-b.flac")
    heard: list[str] = []
    threads = [threading.Thread(target=lambda: heard.append(engine.transcribe(path).text)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert heard == ["Repeat."] * 3


def test_the_model_is_unloaded_when_idle_and_loads_again(tiny: Path) -> None:
    clock = FakeClock()
    engine = whisper.WhisperTranscriber(lambda: tiny, monotonic=clock.monotonic)
    path = samples.shared("speech/an4_test/an392-mjwl-b.flac")
    engine.transcribe(path)
    clock.advance(60)
    assert not engine.unload_if_idle(300)

    clock.advance(300)

    assert engine.unload_if_idle(300)
    assert not engine.loaded
    assert engine.transcribe(path).text == "Repeat."


def test_without_a_model_the_recording_waits(tmp_path: Path) -> None:
    path = samples.encode(tmp_path / "note.wav", samples.noise(1))
    store = models.ModelStore(root=tmp_path / "models", use_package=False)

    with pytest.raises(errors.NoModelError, match="no speech model on this device yet"):
        whisper.WhisperTranscriber(store.resolve).transcribe(path)


def test_a_damaged_model_is_told_from_a_damaged_recording(tmp_path: Path, tiny: Path) -> None:
    folder = tmp_path / "tiny.en"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((tiny / name).read_bytes())
    (folder / "model.bin").write_bytes(b"\x06\x00\x00\x00not a model")
    path = samples.encode(tmp_path / "note.wav", samples.noise(1))

    with pytest.raises(errors.NoModelError, match="can't be loaded"):
        whisper.WhisperTranscriber(lambda: folder).transcribe(path)


def test_hotwords_are_few_short_different_and_clean() -> None:
    given = ["Maria\nGonzalez", "Maria Gonzalez", " ", "<|startoftranscript|>", "x" * 90]

    hints = whisper.clean_hotwords([*given, *(f"Street {number}" for number in range(50))])

    assert hints[0] == "Maria Gonzalez"
    assert len(hints) == whisper.MAX_HOTWORDS
    assert not any("<" in hint or "|" in hint or len(hint) > 40 for hint in hints)
