"""The number of remote calls that a pull makes, from the emulators' journals (docs/protocol.md#call-floors)."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

import pytest

from shared.sync.ports import Policy
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of

GET, LIST = "partner_center.get", "partner_center.list"
QUERY, CONDITIONAL, GRAPH = "salesforce.query", "salesforce.conditional", "salesforce.graph"


def test_one_event_costs_one_read_one_query_and_one_composite(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=12000, details_notes="More")
    harness.pull_event(referral)
    assert harness.new_calls() == {GET: 1, QUERY: 1, CONDITIONAL: 1}


def test_the_event_of_our_own_create_costs_one_read(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.push()
    referral = harness.referral_of(deal)["id"]
    harness.forget_calls()
    harness.pull_event(referral)
    assert harness.new_calls() == {GET: 1}


def test_a_new_referral_costs_one_read_one_look_up_and_one_graph(harness: Harness) -> None:
    harness.pull_event(microsoft_sends_deal(harness))
    assert harness.new_calls() == {GET: 1, QUERY: 1, GRAPH: 1}


def test_a_repeated_event_of_a_new_referral_costs_one_read(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.forget_calls()
    harness.pull_event(referral)
    assert harness.new_calls() == {GET: 1}


def test_a_sweep_without_changes_costs_one_page(harness: Harness) -> None:
    harness.sweep()
    harness.forget_calls()
    harness.sweep()
    assert harness.new_calls() == {LIST: 1}


@pytest.fixture
def harness_of_many() -> Iterator[Harness]:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=1000)) as harness:
        yield harness


def test_a_sweep_costs_its_pages_one_read_for_each_change_and_full_composites(harness_of_many: Harness) -> None:
    harness = harness_of_many
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(130)]
    harness.push_until_quiet()
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12000)
    harness.sweep()
    pages = ceil(130 / 100)
    assert harness.new_calls() == {LIST: pages, GET: 130, QUERY: 1, CONDITIONAL: ceil(130 / 24)}
    assert {record["Amount"] for record in harness.salesforce.records("Opportunity")} == {12000}
    harness.sweep(MINUTE)
    assert harness.new_calls() == {LIST: pages}


def test_the_sweep_finds_every_change_if_all_events_are_lost(harness: Harness) -> None:
    new_referrals = [microsoft_sends_deal(harness, name=f"New {number}") for number in range(3)]
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.push_until_quiet()
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=7)
    harness.sweep()
    assert [len(opportunities_of(harness, referral)) for referral in new_referrals] == [1, 1, 1]
    assert [harness.opportunity(deal)["Amount"] for deal in deals] == [7, 7, 7]
