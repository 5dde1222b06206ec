"""What a person types into a lead's fields."""

from __future__ import annotations

from datetime import date

import pytest

from domain import errors
from services import lead_fields


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("name", "  Ann   Lee ", "Ann Lee"),
        ("phone", "(512) 555-0147", "+15125550147"),
        ("phone", " ", None),
        ("email", "Ann@X.Example", "ann@x.example"),
        ("email", "", None),
        ("state", "tx", "TX"),
        ("state", "", None),
        ("zip", "78704-1234", "78704-1234"),
        ("zip", None, None),
        ("kind", "buyer", "buyer"),
        ("stage", "offer", "offer"),
        ("lat", "30.5", 30.5),
        ("lon", None, None),
        ("timeline_days", "45", 45),
        ("timeline_days", "", None),
        ("price_cents", 64_000_000, 64_000_000),
        ("price_cents", None, None),
        ("price_on", date(2026, 1, 2), "2026-01-02"),
        ("price_on", "", None),
        ("tags", "investor,  cash ,investor,", ["investor", "cash"]),
        ("tags", None, []),
        ("consent_text", 1, True),
        ("consent_call", None, None),
        ("last_touch_at", "2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"),
        ("last_touch_at", "", None),
        ("condition", " needs\nwork ", "needs work"),
        ("answers", {"area": "east"}, {"area": "east"}),
    ],
)
def test_a_value_is_stored_trimmed_and_in_one_form(field: str, typed: object, stored: object) -> None:
    assert lead_fields.clean({field: typed}) == {field: stored}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", "  "),
        ("name", None),
        ("phone", "call me"),
        ("email", "a@b"),
        ("state", "Texas"),
        ("zip", "787"),
        ("kind", "landlord"),
        ("stage", "almost"),
        ("lat", 91),
        ("lon", "east"),
        ("timeline_days", -1),
        ("timeline_days", "soon"),
        ("price_cents", 0),
        ("price_cents", float("inf")),
        ("price_on", "tomorrow"),
        ("opted_out", False),
        ("score", 99),
        ("nonsense", 1),
    ],
)
def test_what_does_not_fit_is_refused_naming_the_field(field: str, typed: object) -> None:
    with pytest.raises(errors.InputError) as refusal:
        lead_fields.clean({field: typed})

    assert refusal.value.where == f"leads.{field}"
    assert refusal.value.hint
