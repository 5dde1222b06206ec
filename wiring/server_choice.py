"""Which server this device belongs to: asked once at the sign-in of a phone or a desktop, kept on the device."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from domain import errors


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """Implements views.login.ServerChoice."""

    path: Path
    http: httpx.AsyncClient

    def address(self) -> str:
        return str(self.http.base_url).rstrip("/")

    def choose(self, address: str) -> None:
        """Raises: InputError for what is no address, StoreError when it can't be kept."""
        text = address.strip()
        url = urlsplit(text if "//" in text else f"https://{text}")
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise errors.InputError(
                "This is no server address.", where="server", hint="Give it as https://jorge.example.com."
            )
        chosen = url.geturl().rstrip("/")
        if chosen == self.address():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({"url": chosen}))
        except OSError as fault:
            raise errors.StoreError("The server's address can't be kept.", where=str(self.path)) from fault
        self.http.base_url = httpx.URL(chosen)


def kept(path: Path) -> str:
    """The address chosen before; "" = none."""
    try:
        return str(json.loads(path.read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
