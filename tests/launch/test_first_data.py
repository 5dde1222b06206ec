"""The demo and a person's own data never share a folder."""

from __future__ import annotations

import json
from pathlib import Path

from launch import first_data, settings


def told(data: Path, leads: Path | None = None) -> settings.Settings:
    return settings.Settings(data=data, app_port=1, server_port=2, leads=leads)


def folder_that_holds(what: str, parent: Path) -> Path:
    data = parent / "data"
    data.mkdir()
    (data / first_data.MARK).write_text(json.dumps({"holds": what}))
    return data


def test_a_new_folder_holds_nothing(tmp_path: Path) -> None:
    assert first_data.holds(tmp_path / "none") == ""


def test_own_files_set_the_demo_aside_and_delete_nothing(tmp_path: Path) -> None:
    data = folder_that_holds("demo", tmp_path)
    (data / "kept").write_text("x")
    said: list[str] = []

    first_data.set_demo_aside(told(data, leads=tmp_path / "contacts.csv"), said.append)

    assert not data.exists()
    aside = next(tmp_path.glob("data-demo-*"))
    assert (aside / "kept").read_text() == "x"
    assert "set aside" in said[0]


def test_own_data_stays_where_it_is(tmp_path: Path) -> None:
    data = folder_that_holds("real", tmp_path)

    first_data.set_demo_aside(told(data, leads=tmp_path / "contacts.csv"), lambda _: None)

    assert first_data.holds(data) == "real"


def test_the_demo_stays_when_no_files_are_named(tmp_path: Path) -> None:
    data = folder_that_holds("demo", tmp_path)

    first_data.set_demo_aside(told(data), lambda _: None)

    assert first_data.holds(data) == "demo"
    assert "agent1@demo.example" in first_data.logins(told(data))


def test_own_data_shows_the_first_sign_in_and_how_agents_get_theirs(tmp_path: Path) -> None:
    data = folder_that_holds("real", tmp_path)
    (data / "first-login.txt").write_text("admin@jorge.local\nsecret\n")

    said = first_data.logins(told(data))

    assert "admin@jorge.local" in said
    assert "create-user --role agent" in said
