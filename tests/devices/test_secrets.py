"""Tokens on disk are private, whole or absent, and a damaged file never stops the app."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from devices import secrets
from domain import errors
from tests.devices.conftest import Connect
from tests.devices.flet_client import ClientError

pytestmark = pytest.mark.anyio


async def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "users" / "a" / "secrets.json"

    await secrets.FileSecrets(path).set("access", "token")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["secrets.json"]


async def test_writes_at_once_are_all_kept(tmp_path: Path) -> None:
    held = secrets.FileSecrets(tmp_path / "secrets.json")

    await asyncio.gather(*(held.set(f"name{number}", str(number)) for number in range(20)))

    assert len(json.loads((tmp_path / "secrets.json").read_text())) == 20


@pytest.mark.parametrize("content", [b"", b"{half", b"[1]", b"\xff\xfe\x00"])
async def test_a_damaged_file_is_set_aside_and_the_app_goes_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(content)
    held = secrets.FileSecrets(path)

    assert await held.get("access") is None
    await held.set("access", "new")

    assert await held.get("access") == "new"
    assert (tmp_path / "secrets.damaged").read_bytes() == content


async def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(errors.StoreError, match="can't be saved"):
        await secrets.FileSecrets(tmp_path / "file" / "secrets.json").set("access", "token")


async def test_a_locked_keystore_is_a_clear_error_and_is_never_reset(connect: Connect) -> None:
    client = connect({"get": ClientError("keystore locked")})
    held = secrets.FletSecrets()

    with pytest.raises(errors.StoreError, match="keystore"):
        await held.get("access")

    (service,) = client.page._services._services
    assert service.android_options.reset_on_error is False  # type: ignore[attr-defined]
