"""Dies before and after every call in each way a pull can go; another instance takes over after the lease.

Dying before a call is dying after the one before it, and after a call that changed nothing as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.unit.sync.crash_points import crash_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)


@dataclass(frozen=True)
class Scenario:
    """`arrange` returns the referrals that the run is about; `check` is told them in the end."""

    arrange: Callable[[Harness], list[str]]
    run: Callable[[Instance, list[str]], object]
    check: Callable[[Harness, list[str]], object]
    meanwhile: Callable[[Harness, list[str]], object] = field(default=lambda _bench, _ids: None)


def every_event(instance: Instance, ids: list[str]) -> None:
    for referral in ids:
        instance.event(referral)


def arrived_once(harness: Harness, ids: list[str]) -> None:
    for referral in ids:
        row = opportunity_of(harness, referral)
        assert harness.differences(row["Id"]) == []
        told = harness.audit_texts(row["Id"])
        made = [line for line in told if "This opportunity was created" in line or "was linked to" in line]
        assert len(made) == 1, told
    customers = {opportunity_of(harness, referral)["AccountId"] for referral in ids}
    assert len(customers) == len(harness.salesforce.records("Account")) == 1
    assert len(harness.salesforce.records("Contact")) == 1
    assert len(harness.salesforce.records("OpportunityContactRole")) == len(ids)


def one_new(harness: Harness) -> list[str]:
    return [microsoft_sends_deal(harness)]


def one_new_of_a_known_customer(harness: Harness) -> list[str]:
    harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
    harness.salesforce.insert("Contact", {"LastName": "Lind", "Email": "ada.lind@fabrikam.example"})
    return [microsoft_sends_deal(harness)]


def one_answered_new(harness: Harness) -> list[str]:
    ids = one_new(harness)
    harness.colleague_edits(ids[0], status="Active", substatus="Accepted")
    return ids


def seller_edits_what_is_there(harness: Harness, ids: list[str]) -> None:
    """An edit between the crash and the next look."""
    for row in harness.salesforce.records("Opportunity"):
        if row["Referral_Identifier__c"] in ids:
            harness.seller_edits(row["Id"], Amount=31000, NextStep="By hand")


def the_edit_survives(harness: Harness, ids: list[str]) -> None:
    arrived_once(harness, ids)
    row = opportunity_of(harness, ids[0])
    amount = 31000 if row["NextStep"] else 25000
    assert row["Amount"] == harness.partner_center.referral(ids[0])["details"]["dealValue"] == amount
    assert not any("both sides" in line for line in harness.audit_texts(row["Id"]))


def updated(harness: Harness) -> list[str]:
    referral, _ = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000, details_notes="Now the whole fleet.")
    return [referral]


def follows(harness: Harness, ids: list[str]) -> None:
    row = opportunity_of(harness, ids[0])
    assert (row["Amount"], row["Description"]) == (30000, "Now the whole fleet.")
    told = [line for line in harness.audit_texts(row["Id"]) if "Now the whole fleet." in line]
    assert len(told) == 1, harness.audit_texts(row["Id"])
    assert harness.differences(row["Id"]) == []


def in_conflict(harness: Harness) -> list[str]:
    referral, deal = accepted_deal(harness)
    harness.later(5)
    harness.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    harness.colleague_edits(referral, details_dealValue=29000, details_notes="Now the whole fleet.")
    return [referral]


def nothing_is_lost(harness: Harness, ids: list[str]) -> None:
    row, referral = opportunity_of(harness, ids[0]), harness.partner_center.referral(ids[0])
    assert (row["Amount"], referral["details"]["dealValue"]) == (27000, 27000)
    assert (row["CloseDate"], row["Description"]) == ("2027-04-01", "Now the whole fleet.")
    assert harness.differences(row["Id"]) == []
    audit = "\n".join(harness.audit_texts(row["Id"]))
    assert "29000.00 EUR" in audit
    assert "27000.00 EUR" in audit


def several(harness: Harness) -> list[str]:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(2)]
    harness.quiet()
    changed = [harness.referral_of(deal)["id"] for deal in deals]
    for referral in changed:
        harness.colleague_edits(referral, details_dealValue=30000)
    return [*changed, microsoft_sends_deal(harness)]


def all_of_them_follow(harness: Harness, ids: list[str]) -> None:
    rows = [opportunity_of(harness, referral) for referral in ids]
    assert [row["Amount"] for row in rows] == [30000, 30000, 25000]
    assert [harness.differences(row["Id"]) for row in rows] == [[], [], []]
    assert len(harness.salesforce.records("Opportunity")) == 3


SCENARIOS = {
    "a new deal": Scenario(one_new, every_event, arrived_once),
    "a new deal, edited meanwhile": Scenario(
        one_answered_new, every_event, the_edit_survives, meanwhile=seller_edits_what_is_there
    ),
    "a new deal of a known customer": Scenario(one_new_of_a_known_customer, every_event, arrived_once),
    "an update": Scenario(updated, every_event, follows),
    "an update in conflict": Scenario(in_conflict, every_event, nothing_is_lost),
    "a sweep of several": Scenario(several, lambda instance, _: instance.sweep(), all_of_them_follow),
}


def dies_and_is_succeeded(scenario: Scenario, number: int) -> None:
    with Harness() as harness:
        ids = scenario.arrange(harness)
        victim = harness.instance()
        crash_at(victim, number)
        assert victim.crashes_during(lambda instance: scenario.run(instance, ids))
        harness.later(2)
        scenario.meanwhile(harness, ids)
        survivor = harness.instance()
        every_event(survivor, ids)  # the queue gives the messages to somebody else
        recover_after_lease(harness, survivor)
        try:
            scenario.check(harness, ids)
            assert_quiet(harness, survivor)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"died at {number}, {victim.life.calls[-1]}: {error}") from error


@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_at_any_call_of_a_pull_leaves_nothing_lost_and_nothing_doubled(name: str) -> None:
    scenario = SCENARIOS[name]
    ids: list[str] = []
    fatal, calls = crash_points(
        lambda harness: ids.extend(scenario.arrange(harness)), lambda one: scenario.run(one, ids)
    )
    assert calls > len(fatal) > 4
    for number in fatal:
        dies_and_is_succeeded(scenario, number)
