"""The layers hold, and the guard that says so has been seen to bite."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("wiring", "views", "services", "sync", "devices", "speech", "storage", "backend", "domain")

PLANTED = {
    "a view opens storage": ("views/planted.py", "from storage import database"),
    "a view calls sync": ("views/planted.py", "from sync import engine"),
    "a service calls sync": ("services/planted.py", "from sync import engine"),
    "a service knows Flet": ("services/planted.py", "import flet"),
    "storage calls a service": ("storage/planted.py", "import services"),
    "sync calls a device": ("sync/planted.py", "import devices"),
    "the server opens the device's storage": ("backend/planted.py", "import storage"),
    "the app imports the server": ("views/planted.py", "import backend"),
    "domain looks up": ("domain/planted.py", "import storage"),
    "a view reaches a device": ("views/planted.py", "from devices import recorder"),
    "a service wires itself": ("services/planted.py", "import wiring"),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def copy_of_the_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for layer in LAYERS:
        shutil.copytree(ROOT / layer, folder / layer, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("main.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_the_tree_keeps_its_contracts(copy_of_the_tree: Path) -> None:
    found = lint_imports(copy_of_the_tree)

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_bad_import_is_caught(fault: str, copy_of_the_tree: Path) -> None:
    name, line = PLANTED[fault]
    planted = copy_of_the_tree / name
    planted.write_text(line + "\n")

    found = lint_imports(copy_of_the_tree)

    planted.unlink()
    assert found.returncode != 0, f"{fault}: nobody noticed\n{found.stdout}"
    assert "BROKEN" in found.stdout


def imported_roots(file: Path) -> set[str]:
    roots: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return roots


def test_domain_imports_only_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"domain"}
    strangers = {
        str(file.relative_to(ROOT)): imported_roots(file) - allowed
        for file in (ROOT / "domain").rglob("*.py")
    }

    assert not {name: found for name, found in strangers.items() if found}


def test_nobody_imports_main() -> None:
    files = [file for layer in LAYERS for file in (ROOT / layer).rglob("*.py")]

    assert not [str(file) for file in files if "main" in imported_roots(file)]


def test_no_file_of_ours_is_longer_than_three_hundred_lines() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for layer in (*LAYERS, "launch")
        for file in (ROOT / layer).rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > 300
    }

    assert not long


def test_every_file_opens_with_a_sentence() -> None:
    mute = [
        str(file.relative_to(ROOT))
        for layer in (*LAYERS, "launch")
        for file in (ROOT / layer).rglob("*.py")
        if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert not mute


def test_the_lock_names_no_registry_host_and_pins_hashes() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith((" ", "#"))]

    assert not [line for line in lines if "://" in line or "index-url" in line]
    assert packages
    assert all("==" in line for line in packages)
    assert sum("--hash=sha256:" in line for line in lines) >= len(packages)
