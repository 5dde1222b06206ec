"""What deploy/ holds fits the program: commands that exist, settings that exist, units that systemd takes."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend import main, processes
from backend.settings import Settings

DEPLOY = Path(__file__).parent.parent / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTINGS = {field.alias: name for name, field in Settings.model_fields.items()}
NOT_OURS = {
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "REDISCLI_AUTH",
    "JORGE_SITE",
    "VALKEY_PASSWORD",
}
"""Variables of the images beside ours, and of the compose file itself."""


def compose() -> dict[str, Any]:
    yaml = importlib.import_module("yaml")
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def lines_of(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_role_has_a_unit_and_a_container() -> None:
    roles = set(processes.ROLES)

    assert {unit.stem.removeprefix("jorge-").rstrip("@") for unit in UNITS} == roles
    assert roles | {"postgres", "valkey"} <= set(compose()["services"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_units_command_is_one_of_ours(unit: Path) -> None:
    (started,) = re.findall(r"^ExecStart=\S+ -m backend (.+)$", unit.read_text(), re.MULTILINE)

    options = main.parser().parse_args(shlex.split(started))

    assert options.role == unit.stem.removeprefix("jorge-").rstrip("@")


@pytest.mark.parametrize("role", processes.ROLES)
def test_a_containers_command_is_one_of_ours(role: str) -> None:
    service = compose()["services"][role]

    assert main.parser().parse_args(service["command"]).role == role
    assert service["volumes"] == compose()["services"]["api"]["volumes"]


def test_what_they_set_are_settings_with_good_values(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = compose()["services"]["api"]["environment"]
    of_systemd = lines_of(DEPLOY / "systemd" / "jorge.env")

    assert set(ours) | set(of_systemd) <= set(SETTINGS)
    Settings.model_validate({SETTINGS[name]: value for name, value in of_systemd.items()})


def test_every_variable_of_the_compose_file_is_asked_for_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    example = set(lines_of(DEPLOY / "jorge.env.example"))

    assert asked == example
    assert example <= set(SETTINGS) | NOT_OURS


def test_secrets_have_no_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()

    assert not re.findall(r"\$\{\w*(?:PASSWORD|TOKEN)\w*\}", text)
    assert not re.findall(r"\$\{\w*(?:PASSWORD|TOKEN)\w*:-", text)


def test_valkey_never_throws_streams_away() -> None:
    command = compose()["services"]["valkey"]["command"]

    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_nothing_but_the_proxy_is_open_to_the_world() -> None:
    assert [name for name, service in compose()["services"].items() if "ports" in service] == ["caddy"]


def test_the_image_holds_what_the_server_imports() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))

    assert copied == {"backend", "domain", "speech"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace("/opt/jorge/.venv/bin/python", sys.executable)
        (tmp_path / path.name.replace("@.", "@8701.")).write_text(text)

    names = [str(tmp_path / name) for name in ("jorge.target", "jorge-api@8701.service")]
    names += [str(tmp_path / unit.name) for unit in UNITS if "@" not in unit.name]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    about_ours = [
        line for line in done.stderr.splitlines() if "jorge" in line and "does not exist" not in line
    ]
    assert about_ours == []
