"""People, other instances and our own replies, all at the same moment as a pull."""

from collections.abc import Callable
from functools import partial

import pytest

from shared.domain.deal import Side
from shared.sync.outcome import Result
from tests.unit.sync.arrivals import accepted, assert_quiet, opportunity_of, sent
from tests.unit.sync.bench import LEASE, MINUTE, SETTLED, Bench, Instance


@pytest.fixture
def pair(bench: Bench) -> tuple[str, str]:
    """An opportunity and its referral, quiet."""
    deal = bench.shared()
    return deal, bench.referral_of(deal)["id"]


def test_a_seller_who_edits_between_our_read_and_our_write_loses_nothing(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.one.life.at("salesforce.update_unmodified", lambda: _edits_later(bench, deal, Description="Called again"))
    bench.event(referral)
    assert (bench.row(deal)["Amount"], bench.row(deal)["Description"]) == (12000, "Called again")
    assert bench.partner_center.referral(referral)["details"]["notes"] == "Called again"
    assert bench.calls()["salesforce.conditional"] == 2
    assert_quiet(bench)


def test_the_same_field_edited_then_is_a_conflict_with_both_values_told(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.one.life.at("salesforce.update_unmodified", lambda: _edits_later(bench, deal, Amount=13000))
    bench.event(referral)
    bench.rounds(1)
    assert bench.row(deal)["Amount"] == bench.partner_center.referral(referral)["details"]["dealValue"] == 13000
    told = [line for line in bench.audit(deal) if "both sides" in line]
    assert len(told) == 1
    assert "13000.00 USD" in told[0]
    assert "12000.00 USD" in told[0]
    assert_quiet(bench)


def test_an_equal_edit_made_then_is_adopted_and_nothing_is_written(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.one.life.at("salesforce.update_unmodified", lambda: _edits_later(bench, deal, Amount=12000))
    bench.event(referral)
    link = bench.link(deal)
    assert str(link.base["money"]) == "12000.00 USD"
    assert link.etag == bench.partner_center.referral(referral)["eTag"]
    assert_quiet(bench)


def test_a_row_that_keeps_changing_is_due_and_no_edit_is_lost(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    for number in range(3):
        edit = partial(_edits_later, bench, deal, Description=f"Call {number}")
        bench.one.life.at("salesforce.update_unmodified", edit, skip=number)
    outcome = bench.event(referral)
    assert outcome is not None
    assert outcome.result is Result.RETRY
    bench.rounds(2)
    assert (bench.row(deal)["Amount"], bench.row(deal)["Description"]) == (12000, "Call 2")
    assert bench.differences(deal) == []


def test_a_row_read_in_the_second_of_its_edit_is_read_again_a_second_later(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.later(10)
    bench.seller_edits(deal, Description="Written in this very second")
    bench.one.life.at("salesforce.opportunities", lambda: bench.seller_edits(deal, CloseDate="2027-02-02"), after=True)
    began = bench.now()
    bench.event(referral, after=0)
    assert (bench.now() - began).total_seconds() >= 1
    row, details = bench.row(deal), bench.partner_center.referral(referral)["details"]
    assert (row["Amount"], row["Description"], row["CloseDate"]) == (12000, "Written in this very second", "2027-02-02")
    assert (details["notes"], details["closingDateTime"][:10]) == ("Written in this very second", "2027-02-02")
    assert_quiet(bench)


def test_a_row_edited_in_every_second_is_never_written_on_a_condition_that_cannot_hold(
    bench: Bench, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.later(10)
    bench.seller_edits(deal, NextStep="Call")
    # The second read falls into the second of the next edit, and one more edit comes right after that read.
    life = bench.one.life
    life.at("salesforce.opportunities", lambda: bench.seller_edits(deal, NextStep="Write"), skip=1)
    life.at("salesforce.opportunities", lambda: bench.seller_edits(deal, Amount=15000), skip=1, after=True)
    bench.event(referral, after=0)
    bench.rounds(2)
    assert bench.row(deal)["Amount"] == bench.partner_center.referral(referral)["details"]["dealValue"] == 15000
    assert_quiet(bench)


def test_both_sides_edited_different_fields_and_both_edits_travel(bench: Bench, pair: tuple[str, str]) -> None:
    deal, referral = pair
    bench.seller_edits(deal, CloseDate="2027-02-02")
    bench.colleague_edits(referral, details_dealValue=12000)
    bench.event(referral, after=5)
    details = bench.partner_center.referral(referral)["details"]
    assert (bench.row(deal)["Amount"], details["closingDateTime"][:10]) == (12000, "2027-02-02")
    assert_quiet(bench)


def test_a_colleague_who_edits_between_our_read_and_our_patch_loses_nothing(
    bench: Bench, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    bench.seller_edits(deal, CloseDate="2027-02-02")
    bench.colleague_edits(referral, details_dealValue=12000)
    edit = partial(bench.colleague_edits, referral, details_dealValue=12500)
    bench.one.life.at("partner_center.patch", edit)
    bench.event(referral, after=5)
    details = bench.partner_center.referral(referral)["details"]
    assert (bench.row(deal)["Amount"], details["closingDateTime"][:10]) == (12500, "2027-02-02")
    assert_quiet(bench)


def test_an_event_that_overtakes_the_reply_of_our_own_create_makes_no_second_opportunity(bench: Bench) -> None:
    deal = bench.seller_creates()
    other = bench.instance()
    outcomes = []

    def the_event_comes_first() -> None:
        outcomes.append(other.event(bench.referral_of(deal)["id"], after=0))

    bench.one.life.at("partner_center.create", the_event_comes_first, after=True)
    bench.push()
    referral = bench.referral_of(deal)["id"]
    assert [outcome.result for outcome in outcomes if outcome] == [Result.RETRY]
    pointer = bench.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    bench.rounds(1)
    assert [row["Id"] for row in bench.salesforce.records("Opportunity")] == [deal]
    assert len(bench.referrals()) == 1
    assert bench.due(Side.PARTNER_CENTER) == []
    assert_quiet(bench)


def test_a_claim_left_by_a_dead_event_does_not_hide_our_own_create(bench: Bench) -> None:
    deal = bench.seller_creates()
    doomed = bench.instance()
    doomed.life.at("partner_center.get", doomed.life.crash)
    bench.one.life.at(
        "partner_center.create",
        lambda: doomed.dies(lambda instance: instance.event(bench.referral_of(deal)["id"], after=0)),
        after=True,
    )
    bench.push()
    pointer = bench.store.pointer(bench.referral_of(deal)["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal


def test_a_referral_whose_creation_is_being_settled_waits_and_is_linked_once(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.one.life.at("partner_center.create", bench.one.life.crash, after=True)
    assert bench.one.dies(lambda instance: instance.push())
    referral = bench.referral_of(deal)["id"]
    survivor = bench.instance()
    for _ in range(5):
        survivor.event(referral, after=MINUTE)
        survivor.sweep(MINUTE)
        survivor.push(MINUTE)
    bench.later(SETTLED)
    bench.rounds(2, survivor)
    assert bench.row(deal)["Referral_Identifier__c"] == referral
    assert len(bench.salesforce.records("Opportunity")) == len(bench.referrals()) == 1
    assert_quiet(bench, survivor)


# --- two instances ----------------------------------------------------------------------------------------------------


def new(bench: Bench) -> str:
    return sent(bench)


def changed(bench: Bench) -> str:
    referral, deal = accepted(bench)
    bench.seller_edits(deal, CloseDate="2027-04-01")
    bench.colleague_edits(referral, details_dealValue=30000)
    bench.later(5)
    return referral


@pytest.mark.parametrize("arrange", [new, pytest.param(changed, marks=pytest.mark.slow)])
def test_two_instances_with_one_event_at_every_moment_do_its_work_once(arrange: Callable[[Bench], str]) -> None:
    for number in range(_length(arrange)):
        with Bench() as bench:
            referral = arrange(bench)
            first, second = bench.instance(), bench.instance()
            first.life.at("", partial(second.event, referral, 0), skip=number, after=True)
            first.event(referral)
            _is_settled_once(bench, referral, second)


def test_two_new_deals_of_one_new_customer_at_once_share_the_account() -> None:
    for number in range(_length(new)):
        with Bench() as bench:
            one, two = sent(bench), sent(bench, name="More robots")
            first, second = bench.instance(), bench.instance()
            first.life.at("", partial(second.event, two, 0), skip=number, after=True)
            first.event(one)
            bench.rounds(2, second)
            assert opportunity_of(bench, one)["AccountId"] == opportunity_of(bench, two)["AccountId"]
            assert len(bench.salesforce.records("Account")) == len(bench.salesforce.records("Contact")) == 1
            assert_quiet(bench, second)


@pytest.mark.parametrize("arrange", [new, pytest.param(changed, marks=pytest.mark.slow)])
def test_a_push_in_the_midst_of_a_pull_does_no_harm(arrange: Callable[[Bench], str]) -> None:
    for number in range(_length(arrange)):
        with Bench() as bench:
            referral = arrange(bench)
            first, second = bench.instance(), bench.instance()
            first.life.at("", partial(second.push, 0), skip=number, after=True)
            first.event(referral)
            _is_settled_once(bench, referral, second)


def _length(arrange: Callable[[Bench], str]) -> int:
    """How many calls of ports one event makes."""
    with Bench() as bench:
        referral = arrange(bench)
        worker = bench.instance()
        worker.event(referral)
        return len(worker.life.calls)


def _is_settled_once(bench: Bench, referral: str, worker: Instance) -> None:
    bench.later(LEASE)
    bench.rounds(2, worker)
    row = opportunity_of(bench, referral)
    assert len(bench.salesforce.records("Account")) == len(bench.salesforce.records("Contact")) == 1
    assert bench.differences(row["Id"]) == []
    told = bench.audit(row["Id"])
    assert len(told) == len(set(told)), told
    assert not any("both sides" in line for line in told)
    assert bench.due(Side.PARTNER_CENTER) == []
    assert_quiet(bench, worker)


def _edits_later(bench: Bench, deal: str, **values: object) -> None:
    """The seller edits in a later second than the row was read in."""
    bench.later(2)
    bench.seller_edits(deal, **values)
    bench.later(2)
