"""A process crashes at each call of a pull in turn, and another instance takes over after the lease.

`crash_points` says at which calls a crash makes a difference.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class PullScenario:
    """`arrange` returns the ids of the run's referrals; `meanwhile` happens between the crash and the recovery."""

    arrange: Callable[[Harness], list[str]]
    run: Callable[[Instance, list[str]], object]
    check: Callable[[Harness, list[str]], object]
    meanwhile: Callable[[Harness, list[str]], object] = field(default=lambda _harness, _ids: None)


def pull_all(instance: Instance, ids: list[str]) -> None:
    for referral in ids:
        instance.pull_event(referral)


def assert_arrived_once(harness: Harness, ids: list[str]) -> None:
    for referral in ids:
        opportunity = opportunity_of(harness, referral)
        assert harness.differences(opportunity["Id"]) == []
        audit = harness.audit_texts(opportunity["Id"])
        first_lines = [line for line in audit if "This opportunity was created" in line or "was linked to" in line]
        assert len(first_lines) == 1, audit
    customers = {opportunity_of(harness, referral)["AccountId"] for referral in ids}
    assert len(customers) == len(harness.salesforce.records("Account")) == 1
    assert len(harness.salesforce.records("Contact")) == 1
    assert len(harness.salesforce.records("OpportunityContactRole")) == len(ids)


def new_deal(harness: Harness) -> list[str]:
    return [microsoft_sends_deal(harness)]


def new_deal_of_known_customer(harness: Harness) -> list[str]:
    harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
    harness.salesforce.insert("Contact", {"LastName": "Lind", "Email": "ada.lind@fabrikam.example"})
    return [microsoft_sends_deal(harness)]


def new_accepted_deal(harness: Harness) -> list[str]:
    ids = new_deal(harness)
    harness.colleague_edits(ids[0], status="Active", substatus="Accepted")
    return ids


def seller_edits_created_deals(harness: Harness, ids: list[str]) -> None:
    """The seller edits each opportunity that the pull created before the crash."""
    for opportunity in harness.salesforce.records("Opportunity"):
        if opportunity["Referral_Identifier__c"] in ids:
            harness.seller_edits(opportunity["Id"], Amount=31000, NextStep="By hand")


def assert_edit_kept(harness: Harness, ids: list[str]) -> None:
    assert_arrived_once(harness, ids)
    opportunity = opportunity_of(harness, ids[0])
    amount = 31000 if opportunity["NextStep"] else 25000
    assert opportunity["Amount"] == harness.partner_center.referral(ids[0])["details"]["dealValue"] == amount
    assert not any("both sides" in line for line in harness.audit_texts(opportunity["Id"]))


def changed_deal(harness: Harness) -> list[str]:
    referral, _ = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000, details_notes="Now the whole fleet.")
    return [referral]


def assert_changes_arrived(harness: Harness, ids: list[str]) -> None:
    opportunity = opportunity_of(harness, ids[0])
    assert (opportunity["Amount"], opportunity["Description"]) == (30000, "Now the whole fleet.")
    lines = [line for line in harness.audit_texts(opportunity["Id"]) if "Now the whole fleet." in line]
    assert len(lines) == 1, harness.audit_texts(opportunity["Id"])
    assert harness.differences(opportunity["Id"]) == []


def deal_in_conflict(harness: Harness) -> list[str]:
    referral, deal = accepted_deal(harness)
    harness.advance_time(5)
    harness.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    harness.colleague_edits(referral, details_dealValue=29000, details_notes="Now the whole fleet.")
    return [referral]


def assert_both_values_kept(harness: Harness, ids: list[str]) -> None:
    opportunity, referral = opportunity_of(harness, ids[0]), harness.partner_center.referral(ids[0])
    assert (opportunity["Amount"], referral["details"]["dealValue"]) == (27000, 27000)
    assert (opportunity["CloseDate"], opportunity["Description"]) == ("2027-04-01", "Now the whole fleet.")
    assert harness.differences(opportunity["Id"]) == []
    audit = "\n".join(harness.audit_texts(opportunity["Id"]))
    assert "29000.00 EUR" in audit
    assert "27000.00 EUR" in audit


def several_deals(harness: Harness) -> list[str]:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(2)]
    harness.push_until_quiet()
    changed = [harness.referral_of(deal)["id"] for deal in deals]
    for referral in changed:
        harness.colleague_edits(referral, details_dealValue=30000)
    return [*changed, microsoft_sends_deal(harness)]


def assert_all_arrived(harness: Harness, ids: list[str]) -> None:
    opportunities = [opportunity_of(harness, referral) for referral in ids]
    assert [opportunity["Amount"] for opportunity in opportunities] == [30000, 30000, 25000]
    assert [harness.differences(opportunity["Id"]) for opportunity in opportunities] == [[], [], []]
    assert len(harness.salesforce.records("Opportunity")) == 3


PULL_SCENARIOS = {
    "a new deal": PullScenario(new_deal, pull_all, assert_arrived_once),
    "a new deal, edited meanwhile": PullScenario(
        new_accepted_deal, pull_all, assert_edit_kept, meanwhile=seller_edits_created_deals
    ),
    "a new deal of a known customer": PullScenario(new_deal_of_known_customer, pull_all, assert_arrived_once),
    "an update": PullScenario(changed_deal, pull_all, assert_changes_arrived),
    "an update in conflict": PullScenario(deal_in_conflict, pull_all, assert_both_values_kept),
    "a sweep of several": PullScenario(several_deals, lambda instance, _: instance.sweep(), assert_all_arrived),
}


def crash_and_recover(scenario: PullScenario, number: int) -> None:
    with Harness() as harness:
        ids = scenario.arrange(harness)
        crashing = harness.new_instance()
        crash_instance_at(crashing, number)
        assert crashing.crashes_during(lambda instance: scenario.run(instance, ids))
        harness.advance_time(2)
        scenario.meanwhile(harness, ids)
        survivor = harness.new_instance()
        pull_all(survivor, ids)  # the queue delivers the messages to another instance
        recover_after_lease(harness, survivor)
        try:
            scenario.check(harness, ids)
            assert_quiet(harness, survivor)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"crashed at {number}, {crashing.process.calls[-1]}: {error}") from error


@pytest.mark.parametrize("name", PULL_SCENARIOS)
def test_a_crash_at_any_call_of_a_pull_loses_nothing_and_doubles_nothing(name: str) -> None:
    scenario = PULL_SCENARIOS[name]
    ids: list[str] = []
    points, calls = crash_points(
        lambda harness: ids.extend(scenario.arrange(harness)), lambda one: scenario.run(one, ids)
    )
    assert calls > len(points) > 4
    for number in points:
        crash_and_recover(scenario, number)
