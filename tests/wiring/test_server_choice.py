"""A phone is told its server once; what is no address is refused before anything is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import errors
from sync import client
from wiring import server_choice

pytestmark = pytest.mark.anyio


async def test_a_chosen_server_is_used_at_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "server.json"
    async with client.open_http("http://127.0.0.1:8700") as http:
        chosen = server_choice.ServerChoice(path, http)

        chosen.choose(" jorge.example.com/ ")

        assert chosen.address() == "https://jorge.example.com"
        assert server_choice.kept(path) == "https://jorge.example.com"


@pytest.mark.parametrize("typed", ["", "ftp://files.example.com", "https://", "//"])
async def test_what_is_no_address_is_refused(typed: str, tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    async with client.open_http("http://127.0.0.1:8700") as http:
        with pytest.raises(errors.InputError, match="no server address"):
            server_choice.ServerChoice(path, http).choose(typed)

        assert str(http.base_url).startswith("http://127.0.0.1:8700")
    assert server_choice.kept(path) == ""
