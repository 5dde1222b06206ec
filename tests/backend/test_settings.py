"""Settings: documented, checked, frozen."""

from __future__ import annotations

import re
from pathlib import Path

import pydantic
import pytest

from backend import settings
from domain import errors

PAGE = Path(__file__).parent.parent.parent / "docs" / "settings.md"


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    table = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)

    assert table == [field.alias for field in settings.Settings.model_fields.values()]


def test_the_page_tells_what_the_code_tells() -> None:
    page = PAGE.read_text()

    missing = [f.alias for f in settings.Settings.model_fields.values() if f"| {f.description} |" not in page]
    assert missing == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JORGE_SERVER_PORT", "9001")
    monkeypatch.setenv("DATABASE_URL", "")

    chosen = settings.from_environment()

    assert (chosen.port, chosen.database_url, chosen.host) == (9001, None, "127.0.0.1")


def test_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JORGE_SERVER_PORT", "hush")

    with pytest.raises(errors.SettingsError) as caught:
        settings.from_environment()

    assert caught.value.where == "JORGE_SERVER_PORT"
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("said", ['{"urgent": 5}', '{"high": 0}', '{"high": 5', "[]"])
def test_limits_of_messages_are_those_of_priorities_that_there_are(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BI_MESSAGE_THROTTLE_LIMITS", said)

    with pytest.raises(errors.SettingsError) as caught:
        settings.from_environment()

    assert caught.value.where.partition(".")[0] == "BI_MESSAGE_THROTTLE_LIMITS"


def test_settings_never_change() -> None:
    chosen = settings.from_environment()

    with pytest.raises(pydantic.ValidationError):
        chosen.port = 1
