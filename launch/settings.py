"""Where to run: two ports and a data folder, from the environment, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    data: Path
    app_port: int
    server_port: int
    leads: Path | None = None
    sales: Path | None = None
    browser: bool = True

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.app_port}"

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What both programs are told; the rest of the environment goes through as it is."""
        return {
            **os.environ,
            "JORGE_DATA_DIR": str(self.data),
            "JORGE_APP_PORT": str(self.app_port),
            "JORGE_SERVER_PORT": str(self.server_port),
            "JORGE_SERVER_URL": self.server_url,
            "PYTHONUNBUFFERED": "1",
        }


def read(
    environment: Mapping[str, str], *, leads: str | None, sales: str | None, browser: bool = True
) -> Settings:
    """Raises: SettingsError for a port that is none, or a file that is not there."""
    return Settings(
        data=Path(environment.get("JORGE_DATA_DIR") or ".jorge").absolute(),
        app_port=_port(environment, "JORGE_APP_PORT", 8550),
        server_port=_port(environment, "JORGE_SERVER_PORT", 8700),
        leads=_file(leads, "LEADS"),
        sales=_file(sales, "SALES"),
        browser=browser,
    )


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise errors.SettingsError(
            f"{name}={text} is no port.", where=name, hint="Use a whole number from 1 to 65535."
        )
    return int(text)


def _file(text: str | None, name: str) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise errors.SettingsError(
            f"There is no file {path}.", where=name, hint=f"Check the path after {name}=."
        )
    return path
