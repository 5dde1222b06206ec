"""The app, put together: `python main.py --web` serves browsers, `flet run main.py` opens a window, `flet build` makes a phone's."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import flet as ft

from devices import paths, secrets
from domain import errors
from views import app, screens, web
from wiring import entry, rounds, server_choice, workplace

LOG = logging.getLogger("jorge.app")
SERVER_FILE = "server.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this process is told by its environment."""

    data: Path
    server_url: str
    port: int
    model_folder: Path | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises: SettingsError."""
        port = environment.get("JORGE_APP_PORT") or "8550"
        if not port.isdigit():
            raise errors.SettingsError(
                f"JORGE_APP_PORT={port} is no port.", where="JORGE_APP_PORT", hint="Use a whole number."
            )
        data = paths.find(environment, home=Path.home()).root
        server_port = environment.get("JORGE_SERVER_PORT") or "8700"
        chosen = environment.get("JORGE_SERVER_URL") or server_choice.kept(data / SERVER_FILE)
        model = environment.get("JORGE_SPEECH_MODEL")
        return cls(
            data=data,
            server_url=chosen or f"http://127.0.0.1:{server_port}",
            port=int(port),
            model_folder=Path(model).expanduser() if model else None,
        )


def put_together(settings: Settings, *, many_people: bool) -> entry.Entry:
    keeper = secrets.FileSecrets(settings.data / "device.json")
    shared = workplace.shared(settings.data, settings.server_url, keeper, settings.model_folder)
    return entry.open_entry(settings.data, shared, many_people=many_people)


def site_of(way_in: entry.Entry, data: Path, *, asks_server: bool) -> app.Site:
    """`make run` marks a folder that holds the demo: the sign-in says so too."""
    mark = data / "holds.json"
    choice = server_choice.ServerChoice(data / SERVER_FILE, way_in.shared.http)
    return app.Site(
        entry=way_in,
        screens=screens.ALL,
        demo=mark.exists() and '"demo"' in mark.read_text(),
        server=choice if asks_server else None,
    )


async def serve_browsers(settings: Settings) -> None:
    """One process, many browsers. Raises: PortTakenError."""
    bound = _bind(settings.port)
    way_in = put_together(settings, many_people=True)

    async def session(page: ft.Page) -> None:
        await app.open_session(page, site_of(way_in, settings.data, asks_server=False))

    looking_after = rounds.Rounds(way_in)
    looking_after.start()
    server = web.server(web.asgi(session), host="127.0.0.1", port=settings.port)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    LOG.info("app.serving port=%s", settings.port)
    try:
        await server._serve(sockets=[bound])
    finally:
        looking_after.stop()
        await way_in.close()


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as fault:
        bound.close()
        raise errors.PortTakenError(
            f"Port {port} is in use by another program.",
            where="JORGE_APP_PORT",
            hint=f"Stop that program, or choose another port: JORGE_APP_PORT={port + 1}",
        ) from fault
    return bound


async def window(page: ft.Page) -> None:
    """A phone's or a desktop's one window."""
    settings = Settings.read(os.environ)
    way_in = put_together(settings, many_people=False)
    rounds.Rounds(way_in).start()
    await app.open_session(page, site_of(way_in, settings.data, asks_server=True))


def main() -> int:
    parser = argparse.ArgumentParser(prog="main.py", description=__doc__)
    parser.add_argument("--web", action="store_true", help="serve browsers at JORGE_APP_PORT")
    words = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # a line for each tick says nothing
    logging.getLogger("flet").setLevel(logging.CRITICAL)  # its lines quote exceptions, which may hold a name
    logging.getLogger("flet_web").setLevel(logging.WARNING)  # its lines carry the ids of sessions
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines carry whole addresses
    try:
        if words.web:
            asyncio.run(serve_browsers(Settings.read(os.environ)))
        else:
            ft.run(window, assets_dir=str(web.ASSETS))
    except errors.StartError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
