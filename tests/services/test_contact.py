"""Calls, texts and drives: the rules are asked first, and what was done is written down."""

from __future__ import annotations

import pytest

from domain import errors, values
from services import contact
from tests.services.conftest import Bench, in_days

pytestmark = pytest.mark.anyio


async def test_a_call_is_handed_over_logged_and_stops_the_answer_clock(bench: Bench) -> None:
    lead_id = bench.lead(answer_due_at=values.time_text(in_days(bench, 1)))

    await bench.sv.contact.call(lead_id)

    view = bench.sv.leads.view(lead_id)
    assert bench.launcher.opened == [("call", "+15125550147")]
    assert [(item.kind, item.direction, item.who) for item in view.timeline.items] == [
        ("call", "outbound", "Pat")
    ]
    assert (view.facts.answer_due_at, view.facts.last_touch_at) == (None, bench.clock.now())


async def test_who_opted_out_is_not_called_and_the_reason_is_said(bench: Bench) -> None:
    lead_id = bench.lead(opted_out=True)

    for action in (bench.sv.contact.call, bench.sv.contact.text, bench.sv.contact.navigate):
        with pytest.raises(errors.RuleError, match="opted out"):
            await action(lead_id)
    assert bench.launcher.opened == []
    assert bench.all("interactions") == []


async def test_a_text_outside_the_window_waits_as_a_task_for_the_opening(bench: Bench) -> None:
    lead_id = bench.lead()
    bench.clock.advance(10 * 3600)  # 23:00 in Austin

    held = await bench.sv.contact.text(lead_id, "See you tomorrow")

    assert isinstance(held, contact.Held)
    assert "closed until" in held.reason
    assert bench.launcher.opened == []
    task = bench.get("tasks", held.task_id)
    assert (task["kind"], task["text"]) == ("text", "See you tomorrow")
    assert task["due_at"] > values.time_text(bench.clock.now())


async def test_a_text_needs_consent_on_record(bench: Bench) -> None:
    with pytest.raises(errors.RuleError, match="no consent"):
        await bench.sv.contact.text(bench.lead(consent_text=None), "hi")


async def test_a_lead_without_number_or_place_says_what_is_missing(bench: Bench) -> None:
    lead_id = bench.lead(phone=None, lat=None, lon=None)

    with pytest.raises(errors.InputError, match="telephone number"):
        await bench.sv.contact.call(lead_id)
    with pytest.raises(errors.InputError, match="position"):
        await bench.sv.contact.navigate(lead_id)


async def test_a_reply_starts_the_clock_and_stop_in_it_opts_out(bench: Bench) -> None:
    lead_id, other_id = bench.lead(), bench.lead(name="Bo", score=80.0, temperature="hot")

    bench.sv.contact.log_reply(lead_id, "STOP")
    bench.sv.contact.log_reply(other_id, "I know, tell me more")

    assert bench.get("leads", lead_id)["opted_out"] is True
    other = bench.get("leads", other_id)
    assert not other["opted_out"]
    assert other["last_inbound_at"] == values.time_text(bench.clock.now())


async def test_mail_goes_at_any_hour_and_a_visit_is_logged_with_its_outcome(bench: Bench) -> None:
    lead_id = bench.lead(email="ann@x.example")
    bench.clock.advance(10 * 3600)

    await bench.sv.contact.mail(lead_id)
    bench.sv.contact.log_visit(lead_id, outcome="kept", body="Liked the price.")

    assert bench.launcher.opened == [("mail", "ann@x.example")]
    kinds = {item.kind: item.outcome for item in bench.sv.leads.view(lead_id).timeline.items}
    assert kinds == {"message": "", "visit": "kept"}


async def test_driving_there_is_no_contact_yet(bench: Bench) -> None:
    lead_id = bench.lead()

    await bench.sv.contact.navigate(lead_id)

    assert bench.launcher.opened[0][0] == "navigate"
    assert bench.all("interactions") == []


async def test_a_text_inside_the_window_is_handed_over_with_its_words(bench: Bench) -> None:
    lead_id = bench.lead()

    assert isinstance(await bench.sv.contact.text(lead_id, "On my way"), str)

    assert bench.launcher.opened == [("text", "+15125550147 On my way")]
    with pytest.raises(errors.NotFoundError):
        await bench.sv.contact.call("gone")


@pytest.mark.parametrize("twin", [{"phone": "Cell: 512-555-0147"}, {"email": " ANN@x.example"}], ids=str)
async def test_nobody_with_the_number_or_e_mail_of_one_who_opted_out_here_is_called(
    bench: Bench, twin: dict[str, str]
) -> None:
    out, lead_id = (
        bench.lead(**{"phone": None, **twin}),
        bench.lead(phone="+15125550147", email="ann@x.example"),
    )
    bench.sv.leads.opt_out(out, "stop")

    for action in (bench.sv.contact.call, bench.sv.contact.text, bench.sv.contact.mail):
        with pytest.raises(errors.RuleError, match="opted out"):
            await action(lead_id)
    shown = bench.sv.leads.view(lead_id).contact
    assert (shown.call.allowed, shown.text.allowed) == (False, False)
