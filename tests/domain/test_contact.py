"""When and whether a lead may be called or texted."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import contact

AUSTIN = contact.Place(state="TX", zip="78701")
SEATTLE = contact.Place(state="WA", zip="98101")


def local(zone: str, *moment: int) -> datetime:
    year, month, day, hour, minute = moment
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "is_open"),
    [(8, 59, False), (9, 0, True), (19, 59, True), (20, 0, False), (0, 0, False)],
)
def test_default_window_is_nine_to_twenty_on_their_clock(hour: int, minute: int, *, is_open: bool) -> None:
    now = local("America/Los_Angeles", 2026, 11, 24, hour, minute)

    assert contact.window(SEATTLE, now).is_open is is_open


def test_window_tells_when_it_closes_and_how_long_is_left() -> None:
    found = contact.window(SEATTLE, local("America/Los_Angeles", 2026, 11, 24, 19, 15))

    assert found.minutes_left == 45
    assert found.closes_at == local("America/Los_Angeles", 2026, 11, 24, 20, 0)
    assert found.opens_at is None
    assert found.text() == "open until 20:00"


def test_window_tells_when_it_opens_again() -> None:
    found = contact.window(SEATTLE, local("America/Los_Angeles", 2026, 11, 24, 21, 30))

    assert (found.minutes_left, found.closes_at) == (0, None)
    assert found.opens_at == local("America/Los_Angeles", 2026, 11, 25, 9, 0)
    assert found.text() == "closed until Wed 09:00"


@pytest.mark.parametrize(
    ("state", "zone", "moment", "is_open"),
    [
        ("TX", "America/Chicago", (2026, 11, 22, 11, 0), False),  # Sunday before noon
        ("TX", "America/Chicago", (2026, 11, 22, 12, 0), True),
        ("AL", "America/Chicago", (2026, 11, 22, 15, 0), False),  # no Sundays
        ("RI", "America/New_York", (2026, 11, 24, 18, 30), False),
        ("RI", "America/New_York", (2026, 11, 28, 9, 30), False),  # Saturday from ten
        ("KY", "America/New_York", (2026, 11, 24, 9, 30), False),
    ],
)
def test_some_states_are_narrower(state: str, zone: str, moment: tuple[int, ...], *, is_open: bool) -> None:
    zip_code = {"TX": "78701", "KY": "40202"}.get(state)

    assert contact.window(contact.Place(state=state, zip=zip_code), local(zone, *moment)).is_open is is_open


def test_a_brokerage_can_never_widen_beyond_the_federal_hours() -> None:
    day_and_night = contact.HoursRule(
        version="wild", default=contact.Hours(opens=time(0), closes=time(23, 59)), states={}
    )

    before = contact.window(SEATTLE, local("America/Los_Angeles", 2026, 11, 24, 7, 59), day_and_night)
    early = contact.window(SEATTLE, local("America/Los_Angeles", 2026, 11, 24, 8, 0), day_and_night)
    late = contact.window(SEATTLE, local("America/Los_Angeles", 2026, 11, 24, 21, 0), day_and_night)

    assert (before.is_open, early.is_open, late.is_open) == (False, True, False)


def test_where_the_area_code_disagrees_the_overlap_counts() -> None:
    moved = contact.Place(state="NY", zip="10001", phone="+12065550147")  # New York house, Seattle telephone

    early = contact.window(moved, local("America/New_York", 2026, 11, 24, 11, 59))
    late = contact.window(moved, local("America/New_York", 2026, 11, 24, 19, 59))

    assert not early.is_open
    assert late.closes_at == local("America/New_York", 2026, 11, 24, 20, 0)


def test_an_area_code_of_the_same_state_tells_the_zone_of_a_split_state() -> None:
    assert contact.Place(state="TX", phone="512 555 0147").zone.key == "America/Chicago"
    assert contact.Place(state="TX", phone="915 555 0147").zone.key == "America/Denver"
    assert len(contact.Place(state="TX").clocks()) == 2
    two = contact.Place(state="TX", zip="78701", phone="cell 512 555 0147, office 206 555 0147")
    assert {zone for zone, _ in two.clocks()} == {"America/Chicago", "America/Los_Angeles"}


def test_nothing_known_means_the_hours_that_all_zones_share() -> None:
    nobody = contact.Place()

    found = contact.window(nobody, local("America/New_York", 2026, 11, 24, 12, 0))

    assert (found.is_open, found.known, found.minutes_left) == (True, False, 480)
    assert "zone unknown" in found.text()
    assert not contact.window(nobody, local("America/New_York", 2026, 11, 24, 11, 0)).is_open


def test_window_keeps_the_local_clock_when_summer_time_ends() -> None:
    saturday = local("America/Los_Angeles", 2026, 10, 31, 21, 0)

    opens = contact.window(SEATTLE, saturday).opens_at

    assert opens == datetime(2026, 11, 1, 17, 0, tzinfo=UTC)  # 09:00 at UTC−8; the day before it was 16:00


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_next_open_is_open_and_never_earlier(naive: datetime) -> None:
    wanted = naive.replace(tzinfo=UTC)

    found = contact.next_open(AUSTIN, wanted)

    assert found >= wanted
    assert contact.window(AUSTIN, found).is_open


def test_no_hours_at_all_stays_closed() -> None:
    never = contact.HoursRule(default=contact.Hours(opens=time(22), closes=time(23)))

    found = contact.window(SEATTLE, datetime(2026, 11, 24, 20, tzinfo=UTC), never)

    assert (found.is_open, found.opens_at, found.text()) == (False, None, "closed")


NOON = local("America/Los_Angeles", 2026, 11, 24, 12, 0)
NIGHT = NOON + timedelta(hours=10)


def test_an_opt_out_forbids_every_channel() -> None:
    for channel in contact.Channel:
        decision = contact.may_contact(
            channel, SEATTLE, NOON, opted_out=True, consent_text=True, consent_call=True
        )
        assert not decision.allowed
        assert "opted out" in decision.reason


def test_a_text_needs_consent() -> None:
    asked = contact.may_contact("text", SEATTLE, NOON, opted_out=False)
    given_ = contact.may_contact("text", SEATTLE, NOON, opted_out=False, consent_text=True)

    assert (asked.allowed, asked.reason) == (False, "no consent to texts on record")
    assert (given_.allowed, given_.reason) == (True, "open until 20:00")


def test_a_call_is_allowed_by_hand_until_it_is_refused() -> None:
    by_hand = contact.may_contact("call", SEATTLE, NOON, opted_out=False)
    refused = contact.may_contact("call", SEATTLE, NOON, opted_out=False, consent_call=False)

    assert by_hand.allowed
    assert "dial by hand" in by_hand.reason
    assert not refused.allowed


def test_a_text_of_the_evening_is_held_when_it_would_be_sent_at_night() -> None:
    decision = contact.may_contact("text", SEATTLE, NIGHT, opted_out=False, consent_text=True)

    assert not decision.allowed
    assert decision.from_at == local("America/Los_Angeles", 2026, 11, 25, 9, 0)


@pytest.mark.parametrize("channel", ["email", "visit"])
def test_mail_and_visits_know_no_hours(channel: str) -> None:
    assert contact.may_contact(channel, SEATTLE, NIGHT, opted_out=False).allowed


def test_one_confirmation_at_most_and_an_opt_out_anywhere_wins() -> None:
    assert contact.may_confirm_opt_out(0)
    assert not contact.may_confirm_opt_out(1)
    assert contact.opted_out_last([False, None, 1])
    assert not contact.opted_out_last([False, None, 0])
