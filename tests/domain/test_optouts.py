"""The words by which people opt out, and those that only look like it."""

from __future__ import annotations

import pytest

from domain import optouts


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        "Please quit",
        "END",
        "revoke",
        "opt out",
        "opt-out",
        "optout",
        "Cancel",
        "unsubscribe me",
        "StopAll",
        "I want this to end",
    ],
)
def test_the_legal_words_always_count_in_a_message(text: str) -> None:
    assert optouts.in_message(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "I know",
        "stopped by",
        "weekend works",
        "cancellation policy?",
        "friendly",
        "quite nice",
        "endless",
        "nonstop",
        "ended up",
        "",
    ],
)
def test_a_legal_word_inside_another_does_not_count(text: str) -> None:
    assert optouts.in_message(text) is None


SPOKEN = [
    "He asked me to stop texting.",
    "She told me to stop calling her.",
    "asked us to quit messaging",
    "He said please stop calling him, he's at work.",
    "Doesn't want any more texts.",
    "she does not want to be contacted again",
    "No more calls, she said.",
    "He said don't call him again.",
    "They said not to contact them anymore.",
    "take him off the list",
    "Take her off our call list.",
    "remove my number from your list",
    "He wants to opt out.",
    "she opted out",
    "Lose my number, he said.",
    "leave her alone",
    "put him on the do not call list",
    "asked me to stop",
    "He revoked his consent",
    "wants us to stop contacting him",
    "Do not text her again",
    "She’s asked me to stop texting",
    "told me never to call again",
    "they want off the list",
    "she said stop",
    "wants to be taken off our list",
    "Don't ever call here again, she said.",
    "He unsubscribed",
    "she doesn't want texts anymore",
    "He said he wants no further contact",
    "stop the texts please, he said",
    "asked to be removed from the list",
    "asked that we stop reaching out",
    "He'd like us to stop texting",
]


@pytest.mark.parametrize("text", SPOKEN)
def test_a_spoken_opt_out_is_heard(text: str) -> None:
    found = optouts.in_note(text)

    assert found is not None
    assert text[found.start : found.end] == found.words


@pytest.mark.parametrize(
    "text",
    [
        "needs to be out by the end of June",
        "asked me to stop by tomorrow",
        "there's a bus stop in front",
        "I know she'll list",
        "He didn't ask me to stop texting.",
        "she never told me to stop calling",
        "she wants to quit her job",
        "wants to cancel the listing with the other agent",
        "don't call before nine",
        "don't stop calling her, she's interested",
        "he won't stop talking",
        "call him again tomorrow",
        "no more showings this week",
        "They want to end the lease",
        "I'll stop calling the lender and go there",
        "texted her the comps",
        "Don't forget to call him",
        "Don't text, call her",
        "roof is at the end of its life",
        "she said stop by on Friday",
        "doesn't want calls before nine",
        "He'll stop texting his agent and work with us",
        "text only, no calls please",
        "they want to take it off the market",
        "she wants it off the list of open houses",
        "I won't stop the calls to the lender",
        "wants a price from the list",
        "he never told me to call",
        "remove the old carpet",
        "He canceled Friday's showing",
        "",
    ],
)
def test_other_talk_is_no_opt_out(text: str) -> None:
    assert optouts.in_note(text) is None


def test_a_phrase_counts_in_a_message_too() -> None:
    assert optouts.in_message("take me off your list") is not None
    assert optouts.in_message("no more texts please") is not None
