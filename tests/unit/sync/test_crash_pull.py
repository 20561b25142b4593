"""Dies before and after every call in each way a pull can go; another instance takes over after the lease.

Dying before a call is dying after the one before it, and after a call that changed nothing as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.unit.sync.arrivals import accepted, assert_quiet, opportunity_of, recovers, sent
from tests.unit.sync.bench import Bench, Instance
from tests.unit.sync.deaths import deaths, doom


@dataclass(frozen=True)
class Scenario:
    """`arrange` returns the referrals that the run is about; `check` is told them in the end."""

    arrange: Callable[[Bench], list[str]]
    run: Callable[[Instance, list[str]], object]
    check: Callable[[Bench, list[str]], object]
    meanwhile: Callable[[Bench, list[str]], object] = field(default=lambda _bench, _ids: None)


def every_event(instance: Instance, ids: list[str]) -> None:
    for referral in ids:
        instance.event(referral)


def arrived_once(bench: Bench, ids: list[str]) -> None:
    for referral in ids:
        row = opportunity_of(bench, referral)
        assert bench.differences(row["Id"]) == []
        told = bench.audit(row["Id"])
        made = [line for line in told if "This opportunity was created" in line or "was linked to" in line]
        assert len(made) == 1, told
    customers = {opportunity_of(bench, referral)["AccountId"] for referral in ids}
    assert len(customers) == len(bench.salesforce.records("Account")) == 1
    assert len(bench.salesforce.records("Contact")) == 1
    assert len(bench.salesforce.records("OpportunityContactRole")) == len(ids)


def one_new(bench: Bench) -> list[str]:
    return [sent(bench)]


def one_new_of_a_known_customer(bench: Bench) -> list[str]:
    bench.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
    bench.salesforce.insert("Contact", {"LastName": "Lind", "Email": "ada.lind@fabrikam.example"})
    return [sent(bench)]


def one_answered_new(bench: Bench) -> list[str]:
    ids = one_new(bench)
    bench.colleague_edits(ids[0], status="Active", substatus="Accepted")
    return ids


def seller_edits_what_is_there(bench: Bench, ids: list[str]) -> None:
    """An edit between the crash and the next look."""
    for row in bench.salesforce.records("Opportunity"):
        if row["Referral_Identifier__c"] in ids:
            bench.seller_edits(row["Id"], Amount=31000, NextStep="By hand")


def the_edit_survives(bench: Bench, ids: list[str]) -> None:
    arrived_once(bench, ids)
    row = opportunity_of(bench, ids[0])
    amount = 31000 if row["NextStep"] else 25000
    assert row["Amount"] == bench.partner_center.referral(ids[0])["details"]["dealValue"] == amount
    assert not any("both sides" in line for line in bench.audit(row["Id"]))


def updated(bench: Bench) -> list[str]:
    referral, _ = accepted(bench)
    bench.colleague_edits(referral, details_dealValue=30000, details_notes="Now the whole fleet.")
    return [referral]


def follows(bench: Bench, ids: list[str]) -> None:
    row = opportunity_of(bench, ids[0])
    assert (row["Amount"], row["Description"]) == (30000, "Now the whole fleet.")
    told = [line for line in bench.audit(row["Id"]) if "Now the whole fleet." in line]
    assert len(told) == 1, bench.audit(row["Id"])
    assert bench.differences(row["Id"]) == []


def in_conflict(bench: Bench) -> list[str]:
    referral, deal = accepted(bench)
    bench.later(5)
    bench.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    bench.colleague_edits(referral, details_dealValue=29000, details_notes="Now the whole fleet.")
    return [referral]


def nothing_is_lost(bench: Bench, ids: list[str]) -> None:
    row, referral = opportunity_of(bench, ids[0]), bench.partner_center.referral(ids[0])
    assert (row["Amount"], referral["details"]["dealValue"]) == (27000, 27000)
    assert (row["CloseDate"], row["Description"]) == ("2027-04-01", "Now the whole fleet.")
    assert bench.differences(row["Id"]) == []
    audit = "\n".join(bench.audit(row["Id"]))
    assert "29000.00 EUR" in audit
    assert "27000.00 EUR" in audit


def several(bench: Bench) -> list[str]:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(2)]
    bench.quiet()
    changed = [bench.referral_of(deal)["id"] for deal in deals]
    for referral in changed:
        bench.colleague_edits(referral, details_dealValue=30000)
    return [*changed, sent(bench)]


def all_of_them_follow(bench: Bench, ids: list[str]) -> None:
    rows = [opportunity_of(bench, referral) for referral in ids]
    assert [row["Amount"] for row in rows] == [30000, 30000, 25000]
    assert [bench.differences(row["Id"]) for row in rows] == [[], [], []]
    assert len(bench.salesforce.records("Opportunity")) == 3


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
    with Bench() as bench:
        ids = scenario.arrange(bench)
        victim = bench.instance()
        doom(victim, number)
        assert victim.dies(lambda instance: scenario.run(instance, ids))
        bench.later(2)
        scenario.meanwhile(bench, ids)
        survivor = bench.instance()
        every_event(survivor, ids)  # the queue gives the messages to somebody else
        recovers(bench, survivor)
        try:
            scenario.check(bench, ids)
            assert_quiet(bench, survivor)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"died at {number}, {victim.life.calls[-1]}: {error}") from error


@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_at_any_call_of_a_pull_leaves_nothing_lost_and_nothing_doubled(name: str) -> None:
    scenario = SCENARIOS[name]
    ids: list[str] = []
    fatal, calls = deaths(lambda bench: ids.extend(scenario.arrange(bench)), lambda one: scenario.run(one, ids))
    assert calls > len(fatal) > 4
    for number in fatal:
        dies_and_is_succeeded(scenario, number)
