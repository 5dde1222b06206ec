"""The microphone: on disk from the first second, in the format that really arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from devices import recorder
from domain import errors, ports
from speech import audio, wav
from tests.devices.conftest import Connect
from tests.devices.flet_client import ClientError, ScriptedClient
from tests.fakes import FakeClock
from tests.speech import samples
from tests.waiting import until

pytestmark = pytest.mark.anyio

WORKS = {
    "has_permission": True,
    "start_recording": True,
    "stop_recording": "blob:1",
    "cancel_recording": None,
}


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def record(
    mic: ports.Recorder,
    path: Path,
    client: ScriptedClient,
    clock: FakeClock,
    *,
    seconds: int,
    rate: int = 16_000,
    channels: int = 1,
) -> None:
    """What a browser sends: a chunk every quarter of a second, once the recorder asked for it."""
    started = asyncio.create_task(mic.start(path))
    await until(lambda: "start_recording" in [name for name, _ in client.calls])
    (service,) = client.page._services._services
    chunk = samples.tone(0.25, rate=rate * channels).tobytes()
    for number in range(seconds * 4):
        data: dict[str, Any] = {"chunk": chunk, "sequence": number, "bytes_streamed": number * len(chunk)}
        await client.event(service, "stream", data)
        clock.advance(0.25)
    await started


async def test_a_browsers_stream_becomes_a_wav_file(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "notes" / "a.wav", client, clock, seconds=3)

    assert mic.level() > 0.5
    kept = await mic.stop()

    assert (kept.seconds, kept.sample_rate, kept.channels) == (3.0, 16_000, 1)
    assert audio.inspect(kept.path).seconds == pytest.approx(3.0, abs=0.01)
    assert mic.level() == 0.0


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (48_000, 2), (44_100, 1)])
async def test_a_browser_that_sends_another_format_than_asked_is_seen_through(
    connect: Connect, tmp_path: Path, rate: int, channels: int
) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "a.wav", client, clock, seconds=4, rate=rate, channels=channels)

    kept = await mic.stop()

    assert (kept.sample_rate, kept.channels) == (rate, channels)
    assert kept.seconds == pytest.approx(4.0)


async def test_the_recording_is_on_disk_while_it_runs(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "a.wav", client, clock, seconds=2)

    assert audio.inspect(tmp_path / "a.wav").seconds >= 1.0
    assert recorder.recover(tmp_path / "a.wav").seconds == 2.0
    await mic.cancel()


async def test_a_browser_that_went_away_loses_nothing(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "a.wav", client, clock, seconds=2)
    client.answers["stop_recording"] = ClientError("Session closed")

    assert (await mic.stop()).seconds == 2.0


async def test_a_device_writes_the_file_itself(connect: Connect, tmp_path: Path) -> None:
    def write(args: dict[str, Any]) -> bool:
        body = samples.tone(2.0).tobytes()
        head = wav.header_bytes(sample_rate=16_000, channels=1, data_bytes=0)
        Path(args["output_path"]).write_bytes(head + body)
        return True

    client = connect(WORKS | {"start_recording": write})
    mic = recorder.for_page(client.page, FakeClock())
    await mic.start(tmp_path / "a.wav")

    assert mic.level() > 0.5
    kept = await mic.stop()

    assert (kept.seconds, kept.sample_rate, kept.channels) == (2.0, 16_000, 1)
    assert client.calls[1][1]["configuration"].encoder.value == "wav"


@pytest.mark.parametrize("web", [True, False])
@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"has_permission": False}, "not allowed"),
        ({"start_recording": False}, "No microphone answered"),
        ({"has_permission": ClientError("no input device")}, "No microphone answered"),
        ({"start_recording": ClientError("busy")}, "No microphone answered"),
    ],
)
async def test_no_microphone_is_said_with_a_way_on(
    connect: Connect, tmp_path: Path, web: bool, answers: dict[str, Any], says: str
) -> None:
    client = connect(WORKS | answers, web=web)
    mic = recorder.for_page(client.page, FakeClock())

    with pytest.raises(errors.NoMicrophoneError, match=says) as raised:
        await mic.start(tmp_path / "a.wav")

    assert "audio file" in raised.value.hint
    assert files_in(tmp_path) == []


async def test_a_device_s_microphone_that_gave_nothing_is_said(connect: Connect, tmp_path: Path) -> None:
    client = connect(WORKS)
    mic = recorder.for_page(client.page, FakeClock())
    await mic.start(tmp_path / "a.wav")

    with pytest.raises(errors.NoMicrophoneError, match="Nothing was recorded"):
        await mic.stop()
    with pytest.raises(errors.NoMicrophoneError, match="No recording is running"):
        await mic.stop()


async def test_nobody_is_told_to_speak_before_a_browser_sends_sound(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    started = asyncio.create_task(mic.start(tmp_path / "a.wav"))
    await until(lambda: "start_recording" in [name for name, _ in client.calls])
    await asyncio.sleep(0)
    assert not started.done()

    (service,) = client.page._services._services
    await client.event(service, "stream", {"chunk": b"\0" * 4_096, "sequence": 0, "bytes_streamed": 4_096})

    await started
    await mic.cancel()


async def test_a_browser_that_never_sends_sound_is_said_and_let_go(connect: Connect, tmp_path: Path) -> None:
    client = connect(WORKS, web=True)
    mic = recorder.StreamRecorder(FakeClock(), sound_within=0.05)

    with pytest.raises(errors.NoMicrophoneError, match="No microphone answered"):
        await mic.start(tmp_path / "a.wav")

    assert files_in(tmp_path) == []
    assert client.calls[-1][0] == "cancel_recording"


async def test_the_next_short_recording_knows_the_microphone(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "a.wav", client, clock, seconds=4, rate=44_100, channels=2)
    await mic.stop()
    client.calls.clear()

    await record(mic, tmp_path / "b.wav", client, clock, seconds=1, rate=44_100, channels=2)

    assert (await mic.stop()).seconds == 1.0


async def test_cancel_leaves_no_file_even_when_the_client_is_silent(connect: Connect, tmp_path: Path) -> None:
    clock, client = FakeClock(), connect(WORKS | {"cancel_recording": ClientError("gone")}, web=True)
    mic = recorder.for_page(client.page, clock)
    await record(mic, tmp_path / "a.wav", client, clock, seconds=1)

    await mic.cancel()

    assert files_in(tmp_path) == []
    await mic.cancel()


@pytest.mark.parametrize("web", [True, False])
async def test_a_second_start_never_overwrites_a_recording(
    connect: Connect, tmp_path: Path, web: bool
) -> None:
    client = connect(WORKS, web=web)
    mic = recorder.for_page(client.page, FakeClock())
    kept = samples.encode(tmp_path / "kept.wav", samples.tone(1.0))

    with pytest.raises(errors.StoreError, match="already"):
        await mic.start(kept)
    if web:
        await record(mic, tmp_path / "a.wav", client, FakeClock(), seconds=1)
    else:
        await mic.start(tmp_path / "a.wav")
    with pytest.raises(errors.NoMicrophoneError, match="running already"):
        await mic.start(tmp_path / "b.wav")

    await mic.cancel()
    assert audio.inspect(kept).seconds == pytest.approx(1.0, abs=0.01)


async def test_the_service_survives_flets_housekeeping(connect: Connect, tmp_path: Path) -> None:
    client = connect(WORKS, web=True)
    mic = recorder.for_page(client.page, FakeClock())

    await client.session.after_event(None)

    assert len(client.page._services._services) == 1
    await record(mic, tmp_path / "a.wav", client, FakeClock(), seconds=1)
    await mic.cancel()
