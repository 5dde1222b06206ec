"""Messages survive the way there and back, and what is none is refused in words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from domain import errors, tables, wire

MUTATION = wire.Mutation(
    mid=1,
    group="g",
    table="leads",
    row_id="018f0000-0000-7000-8000-000000000001",
    op=wire.Op.PATCH,
    patch={"name": "b"},
    base_ver=3,
    base={"name": "a"},
    edit_ms=5,
    seen_server_ms=4,
)
ROW = wire.Row(table="leads", id="x", ver=2, values={"name": "b"})
RESULTS = (
    *(wire.Result(mid=mid, status=wire.Status.APPLIED, ver=mid + 5) for mid in (1, 2, 3, 7, 8)),
    wire.Result(mid=9, status=wire.Status.RETRY),
    wire.Result(mid=10, status=wire.Status.APPLIED, ver=2),
    wire.Result(mid=11, status=wire.Status.APPLIED, ver=2, message="said more"),
)


def there_and_back(message: Any) -> Any:
    return type(message).from_json(json.loads(json.dumps(message.as_json())))


@pytest.mark.parametrize(
    "message",
    [
        MUTATION,
        wire.Push(device_id="d", epoch="e", mutations=(MUTATION, dataclasses.replace(MUTATION, mid=2))),
        ROW,
        wire.Result(mid=1, status=wire.Status.MERGED, ver=2, row=ROW, code="", message=""),
        wire.PushAnswer(results=RESULTS, server_ms=1, incarnation="i"),
        wire.Page(cursor="c", more=False, blocks=(), removed=(), scopes=(), server_ms=1, incarnation="i"),
        wire.Page(
            cursor="c",
            more=True,
            blocks=(wire.Block(table="leads", columns=["id", "ver", "name"], rows=[["x", 1, "b"]]),),
            changes=(wire.Change(table="leads", id="z", from_ver=3, ver=5, values={"name": None}),),
            removed=(("leads", "y"),),
            scopes=("s",),
            server_ms=1,
            incarnation="i",
            demo=True,
            done=1,
            total=2,
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_comes_out_as_it_went_in(message: Any) -> None:
    assert there_and_back(message) == message


@pytest.mark.parametrize("message", [MUTATION, ROW, RESULTS[5]], ids=lambda message: type(message).__name__)
def test_what_has_its_default_may_be_said_or_left_out(message: Any) -> None:
    whole = {
        "group": "",
        "base": {},
        "seen_server_ms": 0,
        "schema": 1,
        "deleted": False,
        "row": None,
        "code": "",
    }
    assert type(message).from_json({**whole, "message": "", **message.as_json()}) == message


def test_an_edit_on_the_wire_is_what_changed_and_little_more() -> None:
    push = wire.Push(
        device_id="d", epoch="e", mutations=(dataclasses.replace(MUTATION, base_ver=0, base={}),)
    )
    assert push.as_json()["mutations"] == [
        {
            "mid": 1,
            "table": "leads",
            "row_id": MUTATION.row_id,
            "op": "patch",
            "patch": {"name": "b"},
            "edit_ms": 5,
            "seen_server_ms": 4,
        }
    ]


def test_plain_results_that_number_on_are_one_list() -> None:
    packed = wire.PushAnswer(results=RESULTS, server_ms=1, incarnation="i").as_json()["results"]
    assert packed[:2] == [[1, 6, 7, 8], [7, 12, 13]]
    assert packed[3] == [10, 2]
    assert [entry["mid"] for entry in packed if isinstance(entry, dict)] == [9, 11]


@pytest.mark.parametrize("entry", [[], ["1", 2], [1, True], [1, 1 << 63], "x", {"mid": 1}])
def test_what_is_no_result_is_refused(entry: Any) -> None:
    said = {"protocol": 1, "server_ms": 1, "incarnation": "i", "results": [entry]}
    with pytest.raises((KeyError, TypeError, ValueError)):
        wire.PushAnswer.from_json(said)


@pytest.mark.parametrize(
    "change",
    [
        {"mid": "1"},
        {"mid": True},
        {"mid": 1 << 63},
        {"op": "explode"},
        {"patch": []},
        {"table": None},
        {"base_ver": 1.0},
    ],
)
def test_what_is_no_mutation_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(errors.InputError):
        wire.Mutation.from_json({**MUTATION.as_json(), **change})


def test_in_a_push_it_is_parked_by_its_number() -> None:
    body = {"protocol": 1, "device_id": "d", "epoch": "e"}
    bad = {**MUTATION.as_json(), "mid": 2, "op": "explode", "group": ""}
    push = wire.Push.from_json({**body, "mutations": [MUTATION.as_json(), bad]})
    assert push.mutations == (MUTATION,)
    assert [(result.mid, result.status, result.code) for result in push.unreadable] == [
        (2, wire.Status.PARKED, "unreadable")
    ]


@pytest.mark.parametrize("mid", [0, -1, 1 << 63, True, None, "1", 1.0])
def test_a_push_with_a_change_that_has_no_number_is_refused_whole(mid: Any) -> None:
    body = {"protocol": 1, "device_id": "d", "epoch": "e"}
    with pytest.raises(errors.InputError) as caught:
        wire.Push.from_json({**body, "mutations": [MUTATION.as_json(), {**MUTATION.as_json(), "mid": mid}]})
    assert (caught.value.where, "from 1 on" in caught.value.message) == ("mutations.mid", True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"op": "explode"}, "op must be one of put, patch, delete"),
        ({"table": None}, "table must be text"),
        ({"edit_ms": "now"}, "edit_ms must be a whole number"),
        ({"row_id": ...}, "row_id is missing"),
    ],
)
def test_why_it_is_no_mutation_is_said_in_words(change: dict[str, Any], why: str) -> None:
    said = {name: value for name, value in {**MUTATION.as_json(), **change}.items() if value is not ...}
    with pytest.raises(errors.InputError) as caught:
        wire.Mutation.from_json(said)
    assert caught.value.message == f"This is not a mutation: {why}."


@pytest.mark.parametrize("device_id", ["", None, 5, "x" * 101, "a\x00b"])
def test_a_push_names_its_device(device_id: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        wire.Push.from_json({"protocol": 1, "device_id": device_id, "epoch": "e", "mutations": []})
    assert caught.value.where == "device_id"


def test_a_push_has_a_limit() -> None:
    many = [dataclasses.replace(MUTATION, mid=mid).as_json() for mid in range(wire.MAX_MUTATIONS + 1)]
    with pytest.raises(errors.InputError, match="at most 200"):
        wire.Push.from_json({"protocol": 1, "device_id": "d", "epoch": "e", "mutations": many})


@pytest.mark.parametrize("theirs", [None, 0, 2, "1"])
def test_another_protocol_is_told_apart(theirs: object) -> None:
    with pytest.raises(errors.VersionMismatchError) as caught:
        wire.check_protocol(theirs)
    assert "nothing is lost" in caught.value.hint


def test_the_hash_knows_every_part_and_not_the_order_of_keys() -> None:
    for change in ({"mid": 2}, {"patch": {"name": "c"}}, {"edit_ms": 6}, {"op": wire.Op.DELETE}):
        other = dataclasses.replace(MUTATION, **change)
        assert other.content_hash() != MUTATION.content_hash()
    assert dataclasses.replace(MUTATION, group="").content_hash() == MUTATION.content_hash()
    two = dataclasses.replace(MUTATION, patch={"a": 1, "b": 2})
    assert two.content_hash() == dataclasses.replace(MUTATION, patch={"b": 2, "a": 1}).content_hash()


@pytest.mark.parametrize(
    "wrong",
    [["leads", "z", 1, 2], ["leads", "z", "1", 2, {}], ["leads", "z", 1, 2, []], [1, "z", 1, 2, {}], "leads"],
)
def test_a_change_that_is_none_is_no_page(wrong: object) -> None:
    said = wire.Page(cursor="c", more=False, blocks=(), removed=(), server_ms=1).as_json()

    with pytest.raises((TypeError, ValueError)):
        wire.Page.from_json({**said, "changes": [wrong]})


def test_columns_that_both_sides_know_are_said_in_a_word() -> None:
    columns = ("id", "ver", *tables.PEOPLE.columns)
    block = wire.Block(table="people", columns=columns, rows=[["x", *range(len(columns) - 1)]])
    page = wire.Page(cursor="c", more=False, blocks=(block,), removed=(), server_ms=1)

    said = json.loads(json.dumps(page.as_json(brief=True)))

    assert len(said["blocks"][0]["columns"]) == 6
    assert wire.Page.from_json(said) == page


@pytest.mark.parametrize("wrong", [{"columns": "ffffff"}, {"table": "pets"}, {"table": "leads"}])
def test_columns_that_are_not_ours_are_no_page(wrong: dict[str, str]) -> None:
    columns = ("id", "ver", *tables.PEOPLE.columns)
    said = wire.Block(table="people", columns=columns, rows=[]).as_json(brief=True)

    with pytest.raises((KeyError, ValueError)):
        wire.Block.from_json({**said, **wrong})
