"""Bodies of events: what is good is read whatever lies beside it, and what is not is named exactly."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.events import STREAMS, reading
from backend.events.reading import Fault
from tests.backend.events import samples

NOW = datetime.now(UTC)
OLDEST, NEWEST = NOW - timedelta(days=365), NOW + timedelta(minutes=1)


array = partial(reading.array, most=100)
lines = partial(reading.lines, most=100)


def faults(read: reading.Read) -> list[tuple[int, str, str]]:
    return [(one.index, one.fault.code, one.fault.where) for one in read.refused]


def only(event: dict[str, Any]) -> Fault:
    found = array(json.dumps(event).encode())
    assert not found.events
    return found.refused[0].fault


@pytest.mark.parametrize("make", [samples.message, samples.turn, samples.deal, samples.health])
def test_an_event_names_its_stream_or_its_type_does(make: Any) -> None:
    whole, short = make(), make(stream=...)

    read = array(samples.body(whole, short))

    assert [type(one) for one in read.events] == [STREAMS[whole["stream"]]] * 2
    assert list(read.places) == [0, 1]


def test_no_two_streams_share_an_event_type() -> None:
    words = [word for kind in STREAMS.values() for word in reading.event_types(kind)]

    assert len(words) == len(set(words))


def test_a_body_is_one_object_an_array_or_lines() -> None:
    event = json.dumps(samples.message()).encode()

    assert len(array(b"  " + event + b"\n").events) == 1
    assert len(array(b"[" + event + b"," + event + b"]").events) == 2
    assert len(lines(event + b"\n\n" + event).events) == 2


def test_bad_items_are_named_and_the_others_are_read() -> None:
    known = samples.message(lead_id="x")

    read = array(samples.body(samples.turn(), {"a": 1}, known, samples.deal()))

    assert list(read.places) == [0, 3]
    assert faults(read) == [(1, "unknown_type", "event_type"), (2, "schema", "lead_id")]
    assert read.refused[1].event_id == known["event_id"]


def test_a_line_that_is_no_json_spoils_no_other() -> None:
    event = json.dumps(samples.message()).encode()

    read = lines(event + b"\n{oops\n" + event + b"\n")

    assert list(read.places) == [0, 2]
    assert faults(read) == [(1, "json", "")]


@pytest.mark.parametrize("text", [r"\ud800", "[" * 3000 + "]" * 3000])
def test_an_item_that_stops_a_reader_of_the_whole_spoils_no_other(text: str) -> None:
    event = json.dumps(samples.message())
    odd = event[:-1] + (',"props":{"a":%s}}' % (text if text[0] == "[" else f'"{text}"'))

    read = array(f"[{event}, {odd},{event}]".encode())

    assert list(read.places) == [0, 2]
    assert [index for index, *_ in faults(read)] == [1]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nope", b"[", b"[{]", b"\xff\xfe", b"[" * 50_000, b'[{"a":1}]x']
)
def test_a_body_in_which_nothing_can_be_told_apart_is_no_json(body: bytes) -> None:
    with pytest.raises(reading.NoJsonError):
        array(body)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"event_id": "x"}, "event_id"),
        ({"occurred_at": "2026-11-22T16:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"event_type": "dance"}, "event_type"),
        ({"confidence": 1.1}, "confidence"),
        ({"frs": -1}, "frs"),
        ({"channel": "x" * 201}, "channel"),
        ({"bot_id": "Lead Bot"}, "bot_id"),
        ({"stage": "sold"}, "stage"),
        ({"stream": "weather"}, "stream"),
        ({"v": 2}, "v"),
        ({"phone": "555"}, "phone"),
        ({"lead_id": ...}, "lead_id"),
    ],
)
def test_what_a_field_may_not_be_is_told_with_its_name(changed: dict[str, Any], where: str) -> None:
    fault = only(samples.message(**changed))

    assert (fault.code, fault.where) == ("schema", where)


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "1999-12-31", "2051-01-01"])
def test_a_closing_date_is_a_day_that_there_is(day: str) -> None:
    assert only(samples.deal(closed_on=day)).code == "schema"


def test_only_a_hand_off_names_the_other_bot() -> None:
    assert only(samples.turn(to_bot_id="jorge-seller")).code == "schema"
    assert only(samples.turn(event_type="handoff")).code == "schema"
    assert array(samples.body(samples.turn(event_type="handoff", to_bot_id="jorge-seller"))).events


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"occurred_at": samples.at(minutes=-2)}, "clock", "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-23:59"}, "clock", "occurred_at"),
        ({"occurred_at": samples.at(days=400)}, "too_old", "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "too_old", "occurred_at"),
        ({"channel": "s\0ms"}, "text", "channel"),
        ({"props": {"a": ["\0"]}}, "text", "props"),
        ({"props": {"\0": 1}}, "text", "props"),
        ({"props": {"a": "x" * 5000}}, "props", "props"),
        ({"props": {"a": 10**30}}, "props", "props"),
        ({"props": {"a": [[[[[1]]]]]}}, "props", "props"),
        ({"props": {"a": [[[1]]], "b": "\\u0000"}}, None, ""),
    ],
)
def test_clock_props_and_text_are_looked_at_too(
    changed: dict[str, Any], code: str | None, where: str
) -> None:
    # At NOW, as the limits are: minutes lie between reading this file and running it in a long suite.
    (event,) = array(samples.body(samples.message(**{"occurred_at": NOW.isoformat(), **changed}))).events

    fault = reading.fault_of(event, oldest=OLDEST, newest=NEWEST)

    assert (fault and (fault.code, fault.where)) == (code and (code, where))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    event = json.dumps(samples.health())[:-1] + f',"value":{number}}}'

    read = array(f"[{event}]".encode())

    assert not read.events
    assert [index for index, *_ in faults(read)] == [0]


@pytest.mark.parametrize("item", ["good", "{}", "1", '"\\ud800"', "["])
def test_more_than_are_taken_are_not_even_looked_at(item: str) -> None:
    text = json.dumps(samples.message()) if item == "good" else item

    for read, body in ((array, f"[{','.join([text] * 101)}]"), (lines, "\n \n".join([text] * 101))):
        if item == "[" and read is array:
            continue
        with pytest.raises(reading.TooManyError):
            read(body.encode())


@pytest.mark.parametrize("filler", [b"\n", b" ", b"1,", b"[],", b"{},\n", b'"",', b"[", b"\\u0000", b'\\"'])
def test_sixteen_megabytes_of_anything_are_no_events(filler: bytes) -> None:
    opened = b'["' if filler[:1] == b"\\" else b"["
    body = opened + filler * (16_000_000 // len(filler)) + b"1]"

    for read in (array, lines):
        with suppress(reading.NoJsonError, reading.TooManyError):
            assert not read(body).events


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(JSON | st.just("good"), min_size=1, max_size=6))
def test_whatever_lies_beside_them_good_events_keep_their_places(items: list[Any]) -> None:
    good = samples.message()
    body = json.dumps([good if item == "good" else item for item in items]).encode()

    read = array(body)

    assert list(read.places) == [index for index, item in enumerate(items) if item == "good"]
    assert len(read.events) + len(read.refused) == len(items)


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\a1 ', max_size=60).map(str.encode))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    for read in (array, lines):
        try:
            found = read(body)
        except reading.NoJsonError:
            continue
        assert len(found.events) == len(found.places)
