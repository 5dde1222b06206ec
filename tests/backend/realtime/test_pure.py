"""What needs no socket: buckets, mailboxes, pictures, frames, quality, offsets."""

from __future__ import annotations

from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader
from websockets.uri import parse_uri

from backend.actor import Role
from backend.realtime import audience, buckets, frames, mailbox, news, quality
from backend.realtime.buckets import Bucket, Priority
from backend.realtime.mailbox import Mailbox
from backend.realtime.picture import NEVER, Made, Picture, steady
from backend.realtime.windows import Windows
from backend.storage.warehouse.scope import Scope
from backend.stream import entries


@given(st.integers(1, 200), st.lists(st.floats(0, 5), min_size=1, max_size=300))
def test_no_minute_holds_more_than_its_number(limit: int, gaps: list[float]) -> None:
    bucket, now, taken = Bucket(limit), 0.0, []
    for gap in gaps:
        now += gap
        if bucket.take(now):
            taken.append(now)

    for begin in taken:
        assert sum(begin <= at < begin + buckets.MINUTE for at in taken) <= limit


@given(st.integers(1, 200))
def test_the_first_goes_at_once_and_the_wait_it_names_is_enough(limit: int) -> None:
    bucket = Bucket(limit)
    assert bucket.take(0.0)
    while bucket.take(0.0):
        pass

    wait = bucket.wait()

    assert 0 < wait <= 2 * buckets.MINUTE
    assert not bucket.take(wait * 0.9)
    assert bucket.take(bucket.wait() + wait)


def test_a_slowed_bucket_gives_half_as_many() -> None:
    slow, usual = Bucket(30), Bucket(30)
    slow.slow(True)
    for bucket in (slow, usual):
        while bucket.take(0.0):
            pass
    assert slow.wait() == pytest.approx(2 * usual.wait())


def test_of_one_key_only_the_newest_goes_out() -> None:
    box: Mailbox[str] = Mailbox({"high": 10})

    assert not box.put("a", "old", Priority.HIGH)
    assert box.put("a", "new", Priority.HIGH)
    box.put("b", "other", Priority.HIGH)

    assert box.take(0.0) == "new"
    assert box.take(0.0) is None
    assert box.wait() == pytest.approx(60 / 9)
    assert box.take(7.0) == "other"
    assert box.wait() is None


def test_what_matters_more_goes_first_and_does_not_wait_for_the_rest() -> None:
    box: Mailbox[str] = Mailbox({"low": 1, "critical": 100})
    box.put("l", "low", Priority.LOW)
    assert box.take(0.0) == "low"
    box.put("l", "low again", Priority.LOW)
    box.urge("critical")

    assert [box.take(0.0), box.take(0.0)] == ["critical", None]


def test_critical_ones_all_go_out_in_order_until_too_many_wait() -> None:
    box: Mailbox[int] = Mailbox()
    assert all(box.urge(number) for number in range(mailbox.MOST_CRITICAL))
    assert not box.urge(-1)

    found: list[int] = []
    now = 0.0
    while len(found) < mailbox.MOST_CRITICAL:
        item = box.take(now)
        if item is None:
            now += box.wait() or 0.0
        else:
            found.append(item)

    assert found == list(range(mailbox.MOST_CRITICAL))


VALUES = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=6)


@given(st.lists(VALUES, min_size=1, max_size=12), st.data())
def test_a_client_that_skips_frames_ends_where_one_that_gets_all_does(
    states: list[dict[str, int]], data: st.DataObject
) -> None:
    picture, client, sent = Picture(keyed=True), dict[str, Any](), NEVER
    for state in states:
        picture.keep(Made(data=state, as_of="now"))
        if data.draw(st.booleans()) or state is states[-1]:
            told = orjson.loads(picture.since(sent))
            client = told if sent == NEVER else client | told
            client = {key: value for key, value in client.items() if value is not None}
            sent = picture.offset

    assert client == states[-1]


def test_a_picture_that_only_grew_older_is_no_news() -> None:
    picture = Picture()
    assert picture.keep(Made(data={"value": 1, "as_of": "one"}, as_of="one"))
    assert not picture.keep(Made(data={"value": 1, "as_of": "two"}, as_of="two"))
    assert picture.keep(Made(data={"value": 1}, as_of="three"), always=True)
    assert picture.keep(Made(data={"value": 2}, as_of="four"))
    assert picture.offset == 3


def test_only_a_point_of_this_picture_goes_on() -> None:
    picture = Picture(keyed=True)
    for number in range(3):
        picture.keep(Made(data={"a": number}, as_of="now"))

    assert [picture.covers(picture.epoch, offset) for offset in (0, 1, 3, 4)] == [False, True, True, False]
    assert not picture.covers("another", 1)


@given(st.integers(1, 3), st.integers(0, 2))
def test_times_inside_figures_do_not_count(value: int, moment: int) -> None:
    figure = {"a": [{"value": value, "as_of": moment}], "cache_hit": moment}
    assert steady(figure) == {"a": [{"value": value}]}


TEXTS = st.one_of(
    st.text(max_size=300), st.integers(0, 70_000).map("x".__mul__), st.text(min_size=200, max_size=400)
)


@hypothesis.settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_the_stock_client_reads_prepared_frames_whatever_came_before(texts: list[str]) -> None:
    for deflated in (True, False):
        reading = _Reading(deflates=deflated)
        for text in texts:
            made = frames.prepare(text.encode())
            assert reading.read(made.deflated if deflated else made.plain) == text


class _Reading:
    """The client's side after a handshake."""

    def __init__(self, *, deflates: bool) -> None:
        self._protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"), max_size=2**20)
        self._stream = StreamReader()
        offered = ClientPerMessageDeflateFactory(client_max_window_bits=True)
        agreed = offered.process_response_params(
            [("server_no_context_takeover", None), ("client_no_context_takeover", None)], []
        )
        self._extensions: list[PerMessageDeflate] = [agreed] if deflates else []

    def read(self, data: bytes) -> str:
        self._stream.feed_data(data)
        parsing = WireFrame.parse(
            self._stream.read_exact, mask=False, max_size=2**20, extensions=self._extensions
        )
        try:
            next(parsing)
        except StopIteration as done:
            found: WireFrame = done.value
            assert (found.opcode, found.fin) == (Opcode.TEXT, True)
            return bytes(found.data).decode()
        raise AssertionError("half a frame")


@pytest.mark.parametrize(
    ("rtt", "unsent", "returns", "expected"),
    [
        (0.0, 0, 0, "good"),
        (0.05, 1_000, 2, "good"),
        (0.3, 0, 0, "fair"),
        (0.0, 20_000, 0, "fair"),
        (0.0, 0, 3, "fair"),
        (1.0, 0, 0, "poor"),
        (0.0, 64 * 1024, 0, "poor"),
        (0.01, 0, 6, "poor"),
    ],
)
def test_the_worst_sign_tells_how_a_line_does(rtt: float, unsent: int, returns: int, expected: str) -> None:
    assert quality.judged(rtt=rtt, unsent=unsent, returns=returns) == expected


def test_returns_are_forgotten_after_a_while() -> None:
    returns = quality.Returns()
    for second in (0.0, 10.0, 290.0):
        returns.came("one", second)
    assert (returns.count("one", 295.0), returns.count("one", 305.0), returns.count("two", 0.0)) == (3, 2, 0)


def _audience(*, ids: tuple[str, ...], keys: tuple[int, ...], whole: bool = False, mask: int = 7) -> str:
    scope = Scope(keys=keys, whole=whole, role_mask=mask)
    return audience.Audience(locations=ids, scope=scope, offices=(), role=Role.MANAGER).key


def test_no_two_audiences_that_see_different_things_share_frames() -> None:
    different = [
        _audience(ids=("a",), keys=(1,)),
        _audience(ids=("a",), keys=(1,), mask=3),
        _audience(ids=("a", "b"), keys=(1, 2)),
        _audience(ids=("a", "b"), keys=(1, 2), whole=True),
        _audience(ids=("a",), keys=()),
        _audience(ids=("b",), keys=()),  # unknown to the warehouse, both of them
    ]
    assert len(set(different)) == len(different)
    assert _audience(ids=("a",), keys=(1,)) == different[0]


def test_tags_name_the_locations_they_touch() -> None:
    tags = [entries.hour_tag(5, "2026112210"), entries.day_tag(-1, 20261122), entries.stock_tag(7), "other:3"]
    assert news.keys_of(tags) == {5, -1, 7}


def test_windows_keep_the_newest_row_and_start_over_with_another_epoch() -> None:
    windows = Windows()

    def tick(epoch: str, rev: int, hot: int) -> dict[str, Any]:
        row = {"location_key": 1, "window": "5m", "rev": rev, "values": {"hot": hot}, "bots": {}}
        return {"epoch": epoch, "offset": rev, "as_of": "now", "watermark": None, "rows": [row]}

    def hot() -> list[float | None]:
        return [row.values["hot"] for row in windows.of([1]).values()]

    assert windows.hear(tick("a", 2, 20)) == {1}
    windows.hear(tick("a", 1, 10))
    assert hot() == [20]
    windows.hear(tick("b", 1, 5))
    assert hot() == [5]
    assert windows.of([2]) == {}
