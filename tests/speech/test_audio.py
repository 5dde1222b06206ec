"""Audio files are judged by content, and each bad one is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domain import errors
from speech import audio
from tests.speech import samples


@pytest.mark.parametrize("as_format", samples.FORMATS)
def test_every_format_gives_its_length_rate_and_channels(tmp_path: Path, as_format: str) -> None:
    path = samples.encode(tmp_path / "note", samples.tone(2.0), as_format=as_format)

    heard = audio.inspect(path)

    assert heard.seconds == pytest.approx(2.0, abs=0.15)
    assert (heard.sample_rate, heard.channels) == (samples.FORMATS[as_format][2], 2)
    assert 0.2 < heard.peak < 0.5
    assert not heard.is_silent


def test_a_stereo_file_at_44_kHz_is_read_as_16_kHz_mono(tmp_path: Path) -> None:
    path = samples.encode(tmp_path / "note.wav", samples.tone(1.0, hertz=1000))

    (block,) = audio.blocks(path)

    spectrum = np.abs(np.fft.rfft(block))
    assert block.dtype == np.float32
    assert len(block) == pytest.approx(16_000, abs=50)
    assert np.argmax(spectrum) * 16_000 / len(block) == pytest.approx(1000, abs=5)


def test_the_extension_does_not_matter(tmp_path: Path) -> None:
    path = samples.encode(tmp_path / "note.txt", samples.tone(1.0), as_format="mp3")

    assert audio.inspect(path).kind == "mp3"


def test_long_audio_comes_in_blocks_cut_where_it_is_quiet(tmp_path: Path) -> None:
    spoken = np.concatenate([samples.tone(28), samples.silence(1), samples.tone(31)])
    path = samples.encode(tmp_path / "long.flac", spoken, as_format="flac")

    lengths = [len(block) / audio.RATE for block in audio.blocks(path, seconds=30)]

    assert sum(lengths) == pytest.approx(60, abs=0.05)
    assert max(lengths) <= 30
    assert 28 < lengths[0] < 29


def test_silence_is_known_as_such(tmp_path: Path) -> None:
    path = samples.encode(tmp_path / "quiet.wav", samples.silence(2))

    assert audio.inspect(path).is_silent


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "file is empty"),
        (b"Dear Maria,\nplease call me back", "looks like text"),
        (b"%PDF-1.7 \x00\x01\x02", "a PDF document"),
        (b"PK\x03\x04\x14\x00\x06\x00", "a ZIP or Office file"),
        ("Dear Maria, please call".encode("utf-16"), "not an audio file"),
        (b"\xff\xfb\x90\x00" + bytes(2000), "damaged"),
        (b"fLaC" + bytes(200), "damaged"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "no audio|damaged"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(100), "cut off or damaged"),
        (b"\x1aE\xdf\xa3" + bytes(100), "damaged"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_kept(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(content)

    with pytest.raises(errors.AudioError, match=says) as raised:
        audio.inspect(path)

    assert raised.value.where == "note.wav"
    assert "The file was kept." in raised.value.hint
    assert path.read_bytes() == content


@pytest.mark.parametrize("as_format", ["wav", "flac", "m4a", "mp3"])
def test_a_file_cut_in_half_is_said_to_be_cut_off(tmp_path: Path, as_format: str) -> None:
    whole = samples.encode(tmp_path / "whole", samples.noise(8), as_format=as_format).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(errors.AudioError, match="cut off or damaged"):
        audio.inspect(cut)


def test_a_video_without_sound_holds_no_audio(tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(stream.encode(None))

    with pytest.raises(errors.AudioError, match="holds no audio"):
        audio.inspect(path)


def test_a_playlist_cannot_make_the_decoder_open_other_files(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n")

    with pytest.raises(errors.AudioError, match="not an audio file"):
        audio.inspect(path)


def test_a_file_too_large_or_too_long_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = samples.encode(tmp_path / "long.flac", samples.silence(90), as_format="flac")

    with pytest.raises(errors.AudioError, match="too large"):
        audio.inspect(path, audio.Limits(file_bytes=1000))
    with pytest.raises(errors.AudioError, match="longer than 1 minutes"):
        audio.inspect(path, audio.Limits(seconds=60))


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(errors.AudioError, match="can't be opened"):
        audio.inspect(tmp_path / "gone.wav")
