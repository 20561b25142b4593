"""A run that stops at any call, and two instances at once, make one record of a lead (docs/protocol.md#leads)."""

from collections.abc import Callable

import pytest

from shared.domain.leads import Leads
from tests.unit.sync.crash_points import BEFORE_FIRST_CALL, EVERY_NTH, crash_instance_at, every_nth, persistent_state
from tests.unit.sync.harness import AFTER_LEASE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, opportunities_of, recover_after_lease
from tests.unit.sync.lead_deals import (
    CUSTOMER,
    accept_lead,
    arrived_lead,
    convert,
    customer_asks,
    edit_lead,
    harness_with,
    lead_of,
    leads,
    salesforce_leads,
)

__all__ = ["leads"]
TEAM = CUSTOMER["team"]
type Arrange = Callable[[Harness], str]
"""It returns the id of the referral."""


def new(harness: Harness) -> str:
    """A lead that nobody has pulled yet."""
    return customer_asks(harness)


def changed(harness: Harness) -> str:
    """A lead that a person has edited, and that has changed in Partner Center since."""
    referral, record = arrived_lead(harness)
    edit_lead(harness, record, Phone="+4599999999")
    harness.colleague_edits(referral, details_notes="We need thirteen.")
    return referral


def accepted(harness: Harness) -> str:
    """A lead that a person has converted, and that was accepted since."""
    referral, record = arrived_lead(harness)
    convert(harness, record)
    accept_lead(harness, referral)
    return referral


def points_of(mode: Leads, arrange: Arrange) -> list[int]:
    """The calls of a pull after which a crash makes a difference."""
    with harness_with(mode) as harness:
        referral = arrange(harness)
        instance = harness.new_instance()
        states = [persistent_state(harness)]
        instance.process.after_each_call = lambda: states.append(persistent_state(harness))
        instance.pull_event(referral)
        return [BEFORE_FIRST_CALL, *(n for n in range(len(states) - 1) if states[n + 1] != states[n])]


def stopped_at(number: int, harness: Harness, arrange: Arrange) -> str:
    """A lead whose pull stopped after the call with this number, and that was recovered. Returns its referral's id."""
    referral = arrange(harness)
    instance = harness.new_instance()
    crash_instance_at(instance, number)
    assert instance.crashes_during(lambda one: one.pull_event(referral))
    recover_after_lease(harness)
    return referral


def test_a_new_lead_arrives_once_wherever_its_pull_stops() -> None:
    points = points_of(Leads.LEAD, new)
    assert len(points) > 3
    for number in points:
        with harness_with(Leads.LEAD) as harness:
            referral = stopped_at(number, harness, new)
            assert len(salesforce_leads(harness)) == 1, number
            assert lead_of(harness, referral)["Phone"] == "+4512345678", number
            assert_quiet(harness)


def test_a_change_never_overwrites_a_persons_edit_wherever_its_pull_stops() -> None:
    for number in points_of(Leads.LEAD, changed):
        with harness_with(Leads.LEAD) as harness:
            lead = lead_of(harness, stopped_at(number, harness, changed))
            assert lead["Phone"] == "+4599999999", number
            assert lead["Description"].endswith("We need thirteen."), number
            assert_quiet(harness)


@pytest.mark.parametrize("every", EVERY_NTH)
def test_an_accepted_lead_is_linked_with_its_converted_opportunity_wherever_its_pull_stops(every: int) -> None:
    for number in every_nth(points_of(Leads.LEAD, accepted), every):
        with harness_with(Leads.LEAD) as harness:
            referral = stopped_at(number, harness, accepted)
            (deal,) = harness.salesforce.records("Opportunity")
            ticked = deal["Referral_Identifier__c"], deal["Sync_with_Partner_Center__c"]
            assert ticked == (referral, True), number
            assert_quiet(harness)


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_lead_becomes_one_opportunity_that_is_not_sent_wherever_its_pull_stops(every: int) -> None:
    for number in every_nth(points_of(Leads.OPPORTUNITY, new), every):
        with harness_with(Leads.OPPORTUNITY) as harness:
            referral = stopped_at(number, harness, new)
            (deal,) = opportunities_of(harness, referral)
            harness.seller_edits(deal["Id"], Amount=777)
            harness.run_rounds()
            assert harness.partner_center.referral(referral)["details"]["dealValue"] is None, number


@pytest.mark.parametrize("wait", [0.0, AFTER_LEASE], ids=["at once", "after the lease"])
@pytest.mark.parametrize("call", ["salesforce.query", "salesforce.create", "store.replace_pointer"])
def test_two_instances_make_one_lead(leads: Harness, call: str, wait: float) -> None:
    referral = customer_asks(leads)
    first, second = leads.new_instance(), leads.new_instance()
    first.process.interrupt_at(call, lambda: second.pull_event(referral, wait))
    first.pull_event(referral)
    recover_after_lease(leads, second)
    assert len(salesforce_leads(leads)) == 1
    pointer = leads.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.lead is not None
    assert_quiet(leads)


@pytest.mark.parametrize("call", ["salesforce.query", "salesforce.update_one", "store.replace_pointer"])
def test_an_edit_that_a_person_makes_meanwhile_stays(leads: Harness, call: str) -> None:
    referral, record = arrived_lead(leads)
    leads.partner_center.raw_patch(referral, {"/customerProfile/team": [{**TEAM[0], "phoneNumber": "+4511111111"}]})
    instance = leads.new_instance()
    instance.process.interrupt_at(call, lambda: edit_lead(leads, record, Phone="+4599999999"))
    instance.pull_event(referral)
    leads.run_rounds()
    lead = lead_of(leads, referral)
    assert lead["Phone"] == "+4599999999"
    assert "+4511111111" in lead["Audit__c"]


def accepted_unconverted(harness: Harness) -> str:
    """A lead that was accepted before anybody converted its Lead."""
    referral, _ = arrived_lead(harness)
    accept_lead(harness, referral)
    return referral


@pytest.mark.parametrize("every", EVERY_NTH)
def test_an_accepted_lead_becomes_one_deal_wherever_its_pull_stops(every: int) -> None:
    for number in every_nth(points_of(Leads.LEAD, accepted_unconverted), every):
        with harness_with(Leads.LEAD) as harness:
            referral = stopped_at(number, harness, accepted_unconverted)
            (deal,) = opportunities_of(harness, referral)
            assert deal["Sync_with_Partner_Center__c"], number
            assert len(salesforce_leads(harness)) == 1, number
            assert_quiet(harness)
