"""A page with one button for each device, for Chromium: `python -m tests.devices.device_app PORT FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import flet as ft
import uvicorn

from devices import clock, connectivity, launcher, locator, recorder
from domain import errors

Do = Callable[[], Awaitable[str]]


async def _main(page: ft.Page) -> None:
    mic = recorder.for_page(page, clock.SystemClock())
    place = locator.FletLocator(clock.SystemClock())
    network = connectivity.FletConnectivity()
    opens = launcher.FletLauncher()
    said = ft.Text("ready")

    async def start() -> str:
        await mic.start(Path(sys.argv[2]) / "note.wav")
        return "recording"

    async def stop() -> str:
        kept = await mic.stop()
        return f"kept {kept.seconds:.1f} s"

    async def meter() -> str:
        levels = []
        for _ in range(20):
            await asyncio.sleep(0.1)
            levels.append(mic.level())
        return f"meter rose to {'loud' if max(levels) > 0.3 else 'quiet'}"

    async def where() -> str:
        here = await place.locate()
        return f"at {here.lat} {here.lon}, network {await network.has_network()}"

    async def drive() -> str:
        await opens.navigate(47.61, -122.33)
        return "opened"

    page.add(ft.Semantics(identifier="said", content=said))
    for name, do in (("Start", start), ("Stop", stop), ("Meter", meter), ("Where", where), ("Drive", drive)):
        page.add(_button(name, do, said, page))


def _button(name: str, do: Do, said: ft.Text, page: ft.Page) -> ft.Button:
    async def clicked() -> None:
        try:
            said.value = await do()
        except errors.JorgeError as error:
            said.value = str(error)
        page.update()

    return ft.Button(name, on_click=clicked)


if __name__ == "__main__":
    app = ft.run(_main, export_asgi_app=True, no_cdn=True)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
