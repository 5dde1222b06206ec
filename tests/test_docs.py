"""The documents say what is so: every dependency argued, every command there, every link alive."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = list(project["project"]["dependencies"])
    for group in (
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ):
        lines += group
    return {found.group().lower() for line in lines if (found := NAME.match(line))}


def test_every_dependency_says_what_for_and_why_this_one() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = {
        cells[1].strip(): cells
        for line in page.splitlines()
        if len(cells := line.split("|")) == 5 and cells[1].strip() not in {"package", "---"}
    }

    assert declared() == set(rows)
    assert not [name for name, cells in rows.items() if not cells[2].strip() or not cells[3].strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())

    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for line in re.findall(r"`(make [^`]+)`", page.read_text())
        for name in re.findall(r"make ([a-z-]+)", line)
    }

    assert named
    assert named <= targets


def test_every_command_of_the_server_is_documented() -> None:
    page = (ROOT / "README.md").read_text() + (ROOT / "docs" / "server.md").read_text()
    commands = re.findall(
        r'add_parser\(\s*"([a-z-]+)"', "".join(f.read_text() for f in (ROOT / "backend").glob("*.py"))
    )

    assert commands
    assert not [name for name in commands if f"python -m backend {name}" not in page]


def test_decisions_follow_the_template() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert pages
    for page in pages:
        text = page.read_text()
        assert re.match(r"# \d{4} ", text), page.name
        missing = [
            part
            for part in ("## Context", "## Decision", "## Consequences", "## Alternatives")
            if part not in text
        ]
        assert not missing, (page.name, missing)


def test_the_changelog_has_an_unreleased_section_on_top() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "Unreleased"
