"""States that move by rules, and the words that are known of them."""

from __future__ import annotations

from typing import Any

import pytest

from domain import errors, guards, merge, tables, values
from domain.guards import Verdict
from domain.merge import Change
from domain.tables import Policy
from services.notes.values import NoteState


@pytest.mark.parametrize(
    ("server", "mine", "verdict"),
    [
        ("waiting", "transcribed", Verdict.TAKE),
        ("saved", "transcribed", Verdict.KEEP),
        ("transcribed", "saved", Verdict.TAKE),
        ("transcribed", "failed", Verdict.KEEP),
        ("a newer word", "waiting", Verdict.KEEP),
    ],
)
def test_a_note_goes_one_way(server: str, mine: str, verdict: Verdict) -> None:
    assert guards.decide(tables.NOTES, "state", {"state": server}, {"state": mine}) is verdict


@pytest.mark.parametrize(
    ("server", "mine", "verdict"),
    [("a", "b", Verdict.KEEP), ("a", None, Verdict.NEWEST), (None, "b", Verdict.NEWEST)],
)
def test_a_task_is_done_once(server: str | None, mine: str | None, verdict: Verdict) -> None:
    assert guards.decide(tables.TASKS, "done_at", {"done_at": server}, {"done_at": mine}) is verdict


@pytest.mark.parametrize(
    ("mine", "verdict"),
    [
        ({"status": "resolved", "resolution": "kept", "resolved_by": "me"}, Verdict.KEEP),
        ({"status": "resolved"}, Verdict.KEEP),
        ({"status": "resolved", "resolution": "restored"}, Verdict.REFUSE),
    ],
)
def test_a_conflict_is_decided_once(mine: dict[str, Any], verdict: Verdict) -> None:
    server = {"status": "resolved", "resolution": "kept", "resolved_by": "them", "resolved_at": None}
    assert guards.decide(tables.CONFLICTS, "resolution", server, mine) is verdict


def test_what_nobody_has_decided_yet_is_decided_by_the_first_who_does() -> None:
    server = {"status": "open", "resolution": None, "resolved_by": None, "resolved_at": None}
    mine = {"status": "resolved", "resolution": "kept"}
    assert guards.decide(tables.CONFLICTS, "resolution", server, mine) is Verdict.TAKE


def test_every_guarded_unit_has_its_rule() -> None:
    for table in tables.ALL:
        for field in table.fields:
            if field.policy is Policy.GUARDED:
                state = dict.fromkeys(table.unit_fields(field.unit), "waiting")
                assert guards.decide(table, field.unit, state, state) in Verdict


def test_a_refused_unit_takes_the_whole_change_with_it() -> None:
    outcome = merge.merge(
        tables.CONFLICTS,
        server={"status": "resolved", "resolution": "kept", "resolved_by": None, "resolved_at": None},
        changes={"status": Change(ver=2, at_ms=1, by="them")},
        patch={"resolution": "restored"},
        base={"resolution": None},
        base_ver=1,
        edit_ms=5,
    )

    assert (outcome.refused, outcome.apply, outcome.conflicts) == ("resolution", {}, ())


def test_the_states_of_notes_are_those_of_the_app() -> None:
    assert set(tables.NOTE_STATES) == set(NoteState)


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("leads", "kind"),
        ("leads", "stage"),
        ("leads", "temperature"),
        ("deals", "stage"),
        ("deals", "side_held"),
        ("deals", "who_pays"),
        ("notes", "state"),
        ("conflicts", "status"),
        ("conflicts", "resolution"),
    ],
)
def test_a_word_out_of_no_list_is_refused_with_the_list(table: str, field: str) -> None:
    with pytest.raises(errors.InputError, match=f'{field} must be one of .*, not "lava"'):
        values.check_values(tables.BY_NAME[table], {field: "lava"})
