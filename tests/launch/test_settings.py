"""`make run` reads where to run, and says what is wrong with what it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import errors
from launch import settings


def test_the_defaults_are_the_ones_that_the_readme_names() -> None:
    read = settings.read({}, leads=None, sales=None)

    assert (read.app_port, read.server_port, read.data.name) == (8550, 8700, ".jorge")
    assert read.app_url == "http://127.0.0.1:8550"


def test_ports_and_folder_come_from_the_environment(tmp_path: Path) -> None:
    told = {"JORGE_APP_PORT": "9001", "JORGE_SERVER_PORT": "9002", "JORGE_DATA_DIR": str(tmp_path)}

    read = settings.read(told, leads=None, sales=None)

    assert (read.app_port, read.server_port, read.data) == (9001, 9002, tmp_path)
    assert read.environment["JORGE_SERVER_URL"] == "http://127.0.0.1:9002"


@pytest.mark.parametrize("text", ["0", "70000", "web", "-1"])
def test_a_port_that_is_none_is_named(text: str) -> None:
    with pytest.raises(errors.SettingsError, match="JORGE_APP_PORT"):
        settings.read({"JORGE_APP_PORT": text}, leads=None, sales=None)


def test_a_file_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match=r"no file .*contacts\.csv.*LEADS"):
        settings.read({}, leads=str(tmp_path / "contacts.csv"), sales=None)
