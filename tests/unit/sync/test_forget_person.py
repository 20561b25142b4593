"""`cosell forget`: one person's values leave the rows of all pairs, and no edit is lost by it."""

from collections.abc import Iterator
from copy import replace

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.guard_texts import ERASED
from shared.domain.link import Effect, EffectKind, Intent
from shared.domain.link_states import State
from shared.operations.erase_again import erase_again
from shared.operations.forget_person import Place, find_person, forget_person
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    MO,
    add_to_team,
    add_user,
    colleague_lists_contacts,
    contacts_here,
    contacts_there,
    deal_with,
    remove_contact,
    sellers_there,
    team_selling,
)
from tests.unit.sync.stored_texts import all_rows, found_in_rows

EMAIL = "KIM@northwind.example"
TRACES = ("kim@northwind.example", "Kim Berg", "+1 206 555 0101")
NOTES = "Kim Berg wants a call."


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as made:
        yield made


def forget(instance: Instance) -> list[Place]:
    """Run the command after a yes. Returns the places that a worker has."""
    return list(forget_person(instance.ctx, find_person(instance.ctx.store, EMAIL)))


def known_deal(harness: Harness, *, is_closed: bool = False) -> str:
    """A deal with Kim and Lee, whose notes and audit name Kim."""
    deal = deal_with(harness, KIM, LEE)
    harness.seller_edits(deal, Description=NOTES)
    harness.push_until_quiet()
    if is_closed:
        harness.seller_edits(deal, StageName="Closed Won")
        harness.push_until_quiet()
        harness.run_rounds()
        assert harness.stored_link(deal).state is State.CLOSED
    return deal


def test_a_person_is_found_in_fields_and_lines_and_erased_in_both(harness: Harness) -> None:
    open_deal, closed = known_deal(harness), known_deal(harness, is_closed=True)
    other = deal_with(harness, LEE)
    places = {one.key: one for one in find_person(harness.store, EMAIL).places}
    assert places.keys() == {open_deal, closed}
    assert {name for one in places.values() for name in one.fields} == {"contacts", "notes"}
    assert [(places[key].is_open, places[key].lines > 0) for key in (open_deal, closed)] == [
        (True, True),
        (False, True),
    ]
    assert forget(harness.first) == []
    assert found_in_rows(harness, TRACES, as_marks=False) == []
    assert found_in_rows(harness, ("Lee Holm", "lee@northwind.example")), "others stay"
    assert harness.stored_link(other).base["contacts"] is not None
    harness.run_rounds()
    for deal in (open_deal, closed):
        assert harness.count_in_audit(deal, ERASED) >= 1
        assert [text for text in harness.audit_texts(deal) if "Kim" in text] == []
    assert harness.stored_link(closed).base.keys() & {"contacts", "notes"} == set(), "it stores nothing of them again"


def test_an_open_deal_goes_on_and_stores_the_person_again(harness: Harness) -> None:
    deal = known_deal(harness)
    before = harness.opportunity(deal)["Description"], harness.referral_of(deal)["details"]["notes"]
    forget(harness.first)
    assert [one.is_open for one in find_person(harness.store, EMAIL).places] == [True], "it may come back"
    harness.run_rounds()
    assert (harness.opportunity(deal)["Description"], harness.referral_of(deal)["details"]["notes"]) == before
    assert (contacts_here(harness, deal), contacts_there(harness, deal)) == ([KIM["Email"], LEE["Email"]],) * 2
    assert harness.stored_link(deal).erased == {}
    assert set(harness.stored_link(deal).base) >= {"contacts", "notes"}
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
    assert_quiet(harness)


def test_a_contact_removed_in_salesforce_just_before_does_not_come_back(harness: Harness) -> None:
    deal = known_deal(harness)
    (kim,) = (one["Id"] for one in harness.salesforce.records("Contact") if one["Email"] == KIM["Email"])
    remove_contact(harness, deal, kim)
    forget(harness.first)
    harness.run_rounds()
    assert (contacts_here(harness, deal), contacts_there(harness, deal)) == ([LEE["Email"]],) * 2
    assert forget(harness.first) == []
    assert found_in_rows(harness, TRACES[:1]) == []


def test_a_contact_removed_in_partner_center_just_before_does_not_come_back(harness: Harness) -> None:
    deal = known_deal(harness)
    lee = {"firstName": "Lee", "lastName": "Holm", "email": LEE["Email"], "phoneNumber": LEE["Phone"]}
    colleague_lists_contacts(harness, deal, lee, MO)
    forget(harness.first)
    harness.run_rounds()
    assert sorted(contacts_here(harness, deal)) == sorted(contacts_there(harness, deal)) == [LEE["Email"], MO["email"]]


def test_notes_cleared_or_edited_just_before_stay_so(harness: Harness) -> None:
    deal = known_deal(harness)
    harness.seller_edits(deal, Description="Nobody wants a call.")
    forget(harness.first)
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["notes"] == "Nobody wants a call."
    assert harness.count_in_audit(deal, "was changed on both sides") == 0


def test_a_busy_pair_is_named_and_a_second_run_finishes(harness: Harness) -> None:
    deal, other = known_deal(harness, is_closed=True), known_deal(harness, is_closed=True)
    entry = harness.store.link(deal)
    assert entry is not None
    intent = Intent((Effect(EffectKind.MARK_OPPORTUNITY),))
    busy = harness.store.replace_link(entry, replace(entry.value, intent=intent))
    assert [one.key for one in forget(harness.first)] == [deal]
    assert harness.stored_link(deal) == busy.value
    assert [one.key for one in find_person(harness.store, EMAIL).places] == [deal] != [other]
    harness.store.replace_link(busy, entry.value)
    assert forget(harness.first) == []
    assert found_in_rows(harness, TRACES) == []


def two_deals(harness: Harness) -> None:
    """Two closed deals; only the first still holds the person, by whom alone the name is known."""
    known_deal(harness, is_closed=True)
    deal = deal_with(harness)
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, entry.value, [Line(harness.now(), "changed", None, None, "contacts", "Kim Berg")])


@pytest.mark.slow
def test_a_run_that_stops_anywhere_is_finished_by_the_next() -> None:
    points, _ = crash_points(two_deals, forget)
    assert len(points) > 3
    for point in points:
        with Harness() as again:
            two_deals(again)
            worker = again.new_instance()
            crash_instance_at(worker, point)
            assert worker.crashes_during(forget)
            assert forget(again.new_instance()) == []
            assert found_in_rows(again, TRACES) == []


def test_what_was_forgotten_since_a_copy_is_erased_in_it_again(harness: Harness) -> None:
    known_deal(harness)
    known_deal(harness, is_closed=True)
    copy = all_rows(harness)
    forget(harness.first)
    erasures = harness.store.erasures()
    harness.rows._connection.execute("DELETE FROM rows")
    for number, (partition, key, data) in enumerate(copy):
        values = (partition, key, data, number, 0, None)
        harness.rows._connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", values)
    assert set(found_in_rows(harness, TRACES)) == {*TRACES}
    erase_again(harness.store, erasures)
    assert found_in_rows(harness, TRACES, as_marks=False) == []
    assert harness.store.erasures() == erasures
    assert harness.all_retry_entries(Side.SALESFORCE) == []
    harness.run_rounds()
    assert {one["status"] for one in harness.our_referrals()} == {"Active", "Closed"}


def test_a_seller_of_an_open_deal_stays_in_both_systems() -> None:
    with team_selling() as harness:
        deal = harness.seller_creates()
        add_to_team(harness, deal, add_user(harness, "Lovelace"))
        harness.push_until_quiet()
        before = sellers_there(harness, deal)
        assert len(before) == 2
        search = find_person(harness.store, "lovelace@contoso.example")
        assert [one.fields for one in search.places] == [("team",)]
        assert forget_person(harness.first.ctx, search) == []
        assert found_in_rows(harness, ("lovelace",), as_marks=False) == []
        harness.run_rounds()
        assert sellers_there(harness, deal) == before
        assert_quiet(harness)
