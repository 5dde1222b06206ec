"""WAV files written as the sound comes: valid at each moment, whole again after a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from domain import errors
from speech import audio, wav
from tests.speech import samples

REPO = Path(__file__).parents[2]
ONE_SECOND = samples.tone(1.0).tobytes()


def test_a_recording_is_a_valid_file_after_each_second(tmp_path: Path) -> None:
    writer = wav.WavWriter(tmp_path / "note.wav", sample_rate=16_000, channels=1)

    lengths = []
    for _ in range(3):
        writer.write(ONE_SECOND)
        lengths.append(audio.inspect(writer.path).seconds)

    assert lengths == pytest.approx([1.0, 2.0, 3.0], abs=0.01)
    assert writer.close().seconds == 3.0


def test_a_process_killed_while_recording_leaves_all_but_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    code = (
        "import os, sys; from pathlib import Path; from speech import wav\n"
        "w = wav.WavWriter(Path(sys.argv[1]), sample_rate=16000, channels=1)\n"
        "for _ in range(27): w.write(bytes(3200))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=REPO, check=False)

    assert wav.read_header(path).seconds == pytest.approx(2.0)
    assert wav.repair(path).seconds >= 2.0
    assert audio.inspect(path).seconds >= 2.0


def test_repair_finds_the_sound_behind_a_header_that_was_never_finished(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(
        wav.header_bytes(sample_rate=16_000, channels=1, data_bytes=0) + ONE_SECOND * 2 + b"\x00"
    )

    header = wav.repair(path)

    assert header.seconds == 2.0
    assert header.declared_bytes == len(ONE_SECOND) * 2
    assert audio.inspect(path).seconds == pytest.approx(2.0, abs=0.01)


def test_repair_makes_a_cut_off_file_readable_for_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(wav.header_bytes(sample_rate=16_000, channels=1, data_bytes=320_000) + ONE_SECOND)
    with pytest.raises(errors.AudioError, match=r"10\.0 s promised, 1\.0 s readable"):
        audio.inspect(path)

    wav.repair(path)

    assert audio.inspect(path).seconds == pytest.approx(1.0, abs=0.01)


def test_the_header_follows_the_rate_that_the_microphone_really_has(tmp_path: Path) -> None:
    writer = wav.WavWriter(tmp_path / "note.wav", sample_rate=16_000, channels=1)
    writer.write(bytes(44_100 * 2 * 2 * 3))

    writer.reformat(sample_rate=44_100, channels=2)

    header = writer.close()
    assert (header.sample_rate, header.channels, header.seconds) == (44_100, 2, 3.0)


@pytest.mark.parametrize("content", [b"", b"not a wav", b"RIFF\x00\x00\x00\x00WAVE", bytes(44)])
def test_a_file_without_a_header_cannot_be_repaired_and_is_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note.wav"
    path.write_bytes(content)

    with pytest.raises(errors.AudioError):
        wav.repair(path)

    assert path.read_bytes() == content


def test_a_full_disk_is_said_and_the_recording_up_to_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "note.wav"
    code = (
        "import resource, sys; from pathlib import Path; from domain import errors; from speech import wav\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, 100_001))\n"
        "w = wav.WavWriter(Path(sys.argv[1]), sample_rate=16000, channels=1)\n"
        "try:\n    for _ in range(100): w.write(bytes(3200))\n"
        "except errors.DiskFullError: w.close(); sys.exit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=REPO, check=False)

    assert done.returncode == 3
    assert audio.inspect(path).seconds == pytest.approx((100_001 - 44) / 32_000, abs=0.01)


def test_a_disk_that_is_full_from_the_start_says_so(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "note.wav").symlink_to(full)

    with pytest.raises(errors.DiskFullError, match="disk is full"):
        wav.WavWriter(tmp_path / "note.wav", sample_rate=16_000, channels=1)
