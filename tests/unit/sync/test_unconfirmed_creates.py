"""A create whose outcome is not known: the seller sees that it waits, and whatever shows the referral ends the wait.

Sources: docs/protocol.md#creating-a-referral, docs/protocol.md#the-mark.
"""

from collections.abc import Callable

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet


@pytest.fixture
def deal(harness: Harness) -> str:
    """A ticked opportunity whose create took effect, while its reply was lost."""
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    return deal


def by_event(harness: Harness, deal: str) -> None:
    harness.pull_event(harness.referral_of(deal)["id"])


def by_sweep(harness: Harness, _: str) -> None:
    harness.sweep()


def test_the_deal_shows_that_it_waits_from_the_first_minute(harness: Harness, deal: str) -> None:
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    (line,) = harness.audit_texts(deal)
    assert line.startswith("Note: Partner Center did not confirm the new referral. The sync looks for it until 10:16")
    harness.push()
    assert len(harness.audit_texts(deal)) == 1


@pytest.mark.parametrize("show", [by_event, by_sweep])
def test_an_event_or_a_sweep_that_names_the_referral_ends_the_wait(
    harness: Harness, deal: str, show: Callable[[Harness, str], None]
) -> None:
    harness.seller_edits(deal, Amount=777)
    show(harness, deal)
    referral = harness.referral_of(deal)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral["id"]
    assert referral["details"]["dealValue"] == 777, "what was edited meanwhile was merged"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.run_rounds()
    assert len(harness.our_referrals()) == 1
    assert harness.count_in_audit(deal, "This opportunity was linked to the referral") == 1
    assert_quiet(harness)


def test_an_event_does_not_interrupt_a_create_that_is_still_running(harness: Harness) -> None:
    deal = harness.seller_creates()
    outcomes: list[object] = []

    def event_arrives() -> None:
        outcomes.append(harness.new_instance().pull_event(harness.referral_of(deal)["id"]))

    harness.first.process.interrupt_at("partner_center.create", event_arrives, after=True)
    harness.push()
    assert [getattr(outcome, "cause", None) for outcome in outcomes] == ["busy"]
    harness.run_rounds()
    assert harness.count_in_audit(deal, "A referral was created") == 1
    assert_quiet(harness)


def test_an_event_ends_the_wait_for_a_process_that_stopped_once_its_lease_is_over(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.first.process.interrupt_at("partner_center.create", harness.first.process.crash, after=True)
    assert harness.first.crashes_during(lambda instance: instance.push())
    worker, referral = harness.new_instance(), harness.referral_of(deal)["id"]
    worker.pull_event(referral)
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    worker.pull_event(referral, after=AFTER_LEASE)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral
    harness.run_rounds(by=worker)
    assert len(harness.our_referrals()) == 1


def test_a_create_that_was_not_found_waits_for_lease_and_settle_time(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    harness.push()
    harness.sweep()
    harness.push(after=10 * MINUTE)
    assert harness.our_referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.push(after=6 * MINUTE)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]


@pytest.mark.parametrize("show", [by_event, by_sweep])
def test_a_deal_that_is_un_ticked_meanwhile_still_shows_that_its_referral_exists(
    harness: Harness, deal: str, show: Callable[[Harness, str], None]
) -> None:
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    show(harness, deal)
    harness.run_rounds(2)
    opportunity = harness.opportunity(deal)
    assert opportunity["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert opportunity["Sync_Status__c"] != "Waiting"
    assert harness.count_in_audit(deal, "This opportunity was linked to the referral") == 1
    assert_quiet(harness)
