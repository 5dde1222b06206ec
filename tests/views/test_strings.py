"""Sentences come from files, with their numbers; none is missing."""

from __future__ import annotations

import re

from views import strings


def test_a_count_finds_its_form() -> None:
    assert strings.count("kit.needs_you", 1) == "1 change needs your decision"
    assert strings.count("kit.needs_you", 3) == "3 changes need your decision"


def test_a_large_number_is_told_in_groups_of_three() -> None:
    assert strings.count("kit.needs_you", 39_064) == "39,064 changes need your decision"
    assert strings.t("sync.waiting.more", n=39_014) == "and 39,014 more"


def test_an_unknown_key_shows_itself() -> None:
    assert strings.t("kit.not_there") == "kit.not_there"


def test_every_sentence_that_the_views_name_is_there() -> None:
    folder = strings.FOLDER.parent.parent / "views"
    named = {
        key
        for path in folder.rglob("*.py")
        for key in re.findall(r'strings\.t\(\s*"([a-z_.]+)"', path.read_text())
    }

    assert not named - strings.table().keys()


def test_every_counted_sentence_has_both_forms() -> None:
    folder = strings.FOLDER.parent.parent / "views"
    named = {
        key
        for path in folder.rglob("*.py")
        for key in re.findall(r'strings\.count\(\s*"([a-z_.]+)"', path.read_text())
    }

    assert not {f"{key}.{form}" for key in named for form in ("one", "other")} - strings.table().keys()


def test_every_kind_of_happening_in_a_lead_s_history_has_its_words() -> None:
    kinds = ("call", "message", "visit", "note", "form", "bot_turn", "showing", "open_house")
    keys = {f"agent_field.history.{kind}.{way}" for kind in kinds for way in ("inbound", "outbound", "other")}

    assert not keys - strings.table().keys()
