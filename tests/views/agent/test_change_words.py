"""What was refused, in words of people."""

from __future__ import annotations

import pytest

from views.agent import change_words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("price_cents must be below 10,000,000,000,000.", "Price must be below $100,000,000,000."),
        ("price_cents must be 0 to 100, not 250.", "Price must be $0 to $1, not $2.50."),
        ("timeline_days must be 0 to 3650, not 9999.", "Timeline must be 0 to 3650, not 9999."),
        ("email is no address.", "E-mail is no address."),
    ],
)
def test_the_servers_reason_names_fields_and_money_as_the_screen_does(message: str, words: str) -> None:
    assert change_words.reason(message, ["price_cents", "timeline_days", "email"]) == words
