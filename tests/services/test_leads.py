"""Leads seen, listed, changed and added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain import errors, ids, values
from services import leads, tasks
from services.sync_words import SyncWord
from services.user import Role
from tests.services.conftest import AGENT, OTHER, Bench, in_days


def test_a_lead_shows_its_reasons_answers_and_whether_now_is_allowed(bench: Bench) -> None:
    lead_id = bench.lead(motivation="divorce", answers={"motivation": "divorce", "timeline": "30 days"})

    view = bench.sv.leads.view(lead_id)

    assert sum(term.points for term in view.score.terms) == pytest.approx(view.score.value)
    assert view.qualification.answered == 2
    assert view.contact.call.allowed
    assert "open until" in view.contact.window_text
    assert (view.facts.agent_name, view.facts.location_name, view.sync) == (
        "Pat",
        "Austin",
        SyncWord.ON_SERVER,
    )


def test_a_lead_that_is_not_here_says_what_to_do(bench: Bench) -> None:
    with pytest.raises(errors.NotFoundError, match="Go back"):
        bench.sv.leads.view(ids.new_id())


def test_an_edit_is_there_at_once_and_waits_on_the_phone(bench: Bench) -> None:
    lead_id = bench.lead()

    bench.sv.leads.edit(lead_id, phone="(512) 555-0199", motivation="job")

    view = bench.sv.leads.view(lead_id)
    assert (view.facts.phone, view.facts.motivation) == ("+15125550199", "job")
    assert view.sync is SyncWord.ON_PHONE
    bench.online()
    assert bench.sv.leads.view(lead_id).sync is SyncWord.WAITING


def test_what_the_score_depends_on_moves_score_and_temperature_with_it(bench: Bench) -> None:
    lead_id = bench.lead(score=10.0, temperature="cold")

    edited = bench.sv.leads.edit(
        lead_id, motivation="foreclosure", timeline_days=14, condition="good", financing="cash"
    )

    row = bench.get("leads", lead_id)
    assert edited.temperature_before == "cold"
    assert row["temperature"] == edited.temperature_after != "cold"
    assert row["score"] > 50
    assert dict(bench.sv.leads.view(lead_id).qualification.questions) == {
        "motivation": "foreclosure",
        "timeline": "14 days",
        "condition": "good",
        "price": None,
    }


def test_a_new_price_carries_its_date_and_all_reaches_the_outbox_as_one_action(bench: Bench) -> None:
    lead_id = bench.lead()

    bench.sv.leads.edit(lead_id, price_cents=64_000_000)

    (line,) = bench.all("outbox")
    assert bench.get("leads", lead_id)["price_on"] == "2026-11-22"
    assert '"price_cents":64000000' in line["patch"]


def test_bad_values_are_refused_and_nothing_changes(bench: Bench) -> None:
    lead_id = bench.lead()

    for name, value in (("phone", "12"), ("email", "x"), ("price_cents", -5), ("zip", "1"), ("nonsense", 1)):
        with pytest.raises(errors.InputError) as refusal:
            bench.sv.leads.edit(lead_id, **{name: value})
        assert refusal.value.where
    assert bench.all("outbox") == []


def test_losing_a_lead_needs_a_reason(bench: Bench) -> None:
    lead_id = bench.lead()

    with pytest.raises(errors.RuleError, match="reason"):
        bench.sv.leads.set_stage(lead_id, "lost")

    bench.sv.leads.set_stage(lead_id, "lost", "listed with a friend")
    assert bench.get("leads", lead_id)["stage_reason"] == "listed with a friend"


def test_an_edit_is_undone_as_it_was(bench: Bench) -> None:
    lead_id = bench.lead(motivation="mixed")
    before = bench.get("leads", lead_id)

    bench.sv.leads.undo(bench.sv.leads.edit(lead_id, motivation="divorce", price_cents=100))

    assert bench.get("leads", lead_id) == before


def test_an_opt_out_blocks_at_once_ends_calls_and_goes_first(bench: Bench) -> None:
    lead_id = bench.lead(answer_due_at=values.time_text(in_days(bench, 1)))
    task_id = bench.sv.tasks.create("Call Ann", lead_id=lead_id, kind="call")

    edited = bench.sv.leads.opt_out(lead_id, "please stop texting me")

    view = bench.sv.leads.view(lead_id)
    assert (view.facts.opted_out, view.facts.answer_due_at) == (True, None)
    assert not view.contact.call.allowed
    assert not view.contact.text.allowed
    assert bench.get("tasks", task_id)["done_at"]
    assert any(line["urgent"] and line["row_id"] == lead_id for line in bench.all("outbox"))
    with pytest.raises(errors.RuleError, match="not undone"):
        bench.sv.leads.undo(edited)


def test_quick_add_scores_the_lead_and_shows_who_may_be_the_same(bench: Bench) -> None:
    bench.lead(name="Ann Lee", phone="+15125550147")

    (same,) = bench.sv.leads.duplicates(phone="512 555 0147", name="ann lee")
    lead_id = bench.sv.leads.quick_add(
        leads.NewLead(name=" Bob  Ray ", phone="5125550111", zip="78704", consent_text=True, note="likes tea")
    )

    view = bench.sv.leads.view(lead_id)
    assert same.why == "same phone"
    assert (view.facts.name, view.facts.phone, view.mine) == ("Bob Ray", "+15125550111", True)
    assert view.temperature
    assert view.facts.lat == pytest.approx(30.24, abs=0.05)
    assert view.facts.consent_at is not None
    assert [note.text for note in view.notes] == ["likes tea"]


def test_quick_add_without_any_way_to_find_them_again_is_refused(bench: Bench) -> None:
    with pytest.raises(errors.InputError, match="phone, an e-mail or an address"):
        bench.sv.leads.quick_add(leads.NewLead(name="Bob"))


def test_the_list_filters_sorts_and_pages(bench: Bench) -> None:
    for number in range(5):
        bench.lead(name=f"N{number}", score=float(number), kind="buyer", agent_id=OTHER)
    bench.lead(name="Zoe 100%", score=99.0)

    page = bench.sv.leads.list(leads.Filter(kind="buyer"), limit=2, offset=2)
    mine = bench.sv.leads.list(leads.Filter(mine=True))
    literal = bench.sv.leads.list(leads.Filter(words="100%"))
    by_name = bench.sv.leads.list(sort=leads.Sort.NAME, limit=1)

    assert ([item.name for item in page.items], page.total, page.more) == (["N2", "N1"], 5, True)
    assert [item.name for item in mine.items] == ["Zoe 100%"]
    assert literal.total == 1
    assert by_name.items[0].agent_name == "Kim"


def test_the_timeline_pages_without_losing_what_happened_in_the_same_moment(bench: Bench) -> None:
    lead_id = bench.lead()
    for number in range(7):
        at = bench.clock.now() - timedelta(hours=number // 2)
        row = {
            "lead_id": lead_id,
            "kind": "message",
            "occurred_at": values.time_text(at),
            "body": str(number),
        }
        bench.server("interactions", ids.new_id(), row)

    first = bench.sv.leads.timeline(lead_id, limit=3)
    rest = bench.sv.leads.timeline(lead_id, before=first.next_before, limit=10)

    assert len(first.items) == 4
    assert {item.body for item in (*first.items, *rest.items)} == set("0123456")
    assert rest.next_before is None


def test_a_changed_address_moves_the_lead_on_the_map(bench: Bench) -> None:
    lead_id = bench.lead()
    house = {"status": "sold", "address": "12 Oak St", "lat": 30.5, "lon": -97.9}
    bench.server("properties", ids.new_id(), house)

    bench.sv.leads.edit(lead_id, address="12 Oak St")

    assert bench.get("leads", lead_id)["lat"] == 30.5


def test_money_is_for_managers_to_edit(bench: Bench) -> None:
    lead_id = bench.lead()
    deal = {"lead_id": lead_id, "agent_id": AGENT, "stage": "offer", "side_held": "listing", "net_cents": 100}
    bench.server("deals", ids.new_id(), deal)

    (shown,) = bench.sv.leads.view(lead_id).deals

    assert (shown.can_edit, shown.chance, shown.chance_is_default) == (False, 0.7, True)


def test_comparable_sales_value_the_house_as_of_the_newest_sale(bench: Bench) -> None:
    lead_id = bench.lead()
    for number in range(8):
        bench.server("properties", ids.new_id(), house(number))

    found = bench.sv.leads.comps(lead_id)

    assert found.value_cents == pytest.approx(50_000_000, rel=0.05)
    assert found.as_of is not None
    assert found.as_of.year == 2015
    assert found.items[0].price_cents == 50_000_000


def test_without_sales_there_is_no_estimate_and_the_reason_is_said(bench: Bench) -> None:
    found = bench.sv.leads.comps(bench.lead())

    assert found.value_cents is None
    assert "no sales around" in found.why_not


def house(number: int) -> dict[str, object]:
    return {
        "status": "sold",
        "address": f"{number} Elm St",
        "price_cents": 50_000_000,
        "price_on": f"2015-05-{number + 1:02d}",
        "lat": 30.2672 + number / 10_000,
        "lon": -97.7431,
        "sqft": 2000,
    }


def test_the_leads_own_house_is_valued_by_its_own_features(bench: Bench) -> None:
    lead_id = bench.lead(lat=None, lon=None)
    own = {"lead_id": lead_id, "status": "owned", "lat": 30.2672, "lon": -97.7431, "sqft": 2000}
    bench.server("properties", ids.new_id(), own)
    for number in range(8):
        bench.server("properties", ids.new_id(), house(number))

    assert bench.sv.leads.comps(lead_id).value_cents == pytest.approx(50_000_000, rel=0.05)
    assert bench.sv.leads.view(lead_id).properties[0].sqft == 2000


def test_a_house_without_a_place_has_no_estimate(bench: Bench) -> None:
    assert "no position" in bench.sv.leads.comps(bench.lead(lat=None, lon=None)).why_not
    with pytest.raises(errors.NotFoundError):
        bench.sv.leads.comps("gone")


def test_a_lead_goes_only_into_an_own_location(bench: Bench) -> None:
    new = leads.NewLead(name="Bob", phone="5125550111", location_id=ids.new_id())

    with pytest.raises(errors.ForbiddenError, match="not one of yours"):
        bench.sv.leads.quick_add(new)


def test_who_has_no_location_is_told_to_ask_for_one(bench: Bench) -> None:
    nobody = replace(bench.sv.desk, user=replace(bench.sv.user, location_ids=()))

    with pytest.raises(errors.ForbiddenError, match="Ask your manager"):
        tasks.Tasks(desk=nobody).create("Call")
    assert nobody.zone().key == "UTC"


def test_the_sources_of_leads_are_offered_as_filters(bench: Bench) -> None:
    for source in ("Zillow", "Referral", "Zillow"):
        bench.lead(source=source)

    assert bench.sv.leads.sources() == ("Zillow", "Referral")


def test_the_lead_that_is_being_edited_is_no_duplicate_of_itself(bench: Bench) -> None:
    lead_id = bench.lead(email="ann@x.example")
    other_id = bench.lead(name="A. Lee", phone=None, email="ANN@x.example")

    (same,) = bench.sv.leads.duplicates(email="ann@X.example", name="Ann Lee", except_id=lead_id)

    assert (same.id, same.why) == (other_id, "same e-mail")


def other_office(bench: Bench) -> str:
    place = "00000000-0000-7000-8000-0000000000a2"
    bench.server("locations", place, {"name": "Dallas", "zone": "America/Chicago", "state": "TX"})
    user = replace(bench.sv.user, location_ids=(*bench.sv.user.location_ids, place))
    leads = replace(bench.sv.leads, desk=replace(bench.sv.desk, user=user))
    bench.sv = replace(bench.sv, leads=leads)
    return place


def test_a_manager_moves_a_lead_between_their_own_locations(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(Role.MANAGER)
    lead_id, place = bench.lead(), other_office(bench)

    ways = bench.sv.leads.ways_out(lead_id)
    bench.sv.leads.move(lead_id, place)

    assert ways == ((place, "Dallas"),)
    assert bench.get("leads", lead_id)["location_id"] == place
    with pytest.raises(errors.ForbiddenError, match="can't move"):
        bench.sv.leads.move(lead_id, ids.new_id())


def test_an_agent_moves_nobody(bench: Bench) -> None:
    lead_id, place = bench.lead(), other_office(bench)

    assert bench.sv.leads.ways_out(lead_id) == ()
    with pytest.raises(errors.ForbiddenError):
        bench.sv.leads.move(lead_id, place)
