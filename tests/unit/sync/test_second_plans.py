"""A pair is planned again within one run: nothing that the first plan had to report is lost, and nothing is told twice.

A person saves the record between our read and our write (412), or in the second of our read.
"""

from collections.abc import Callable

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import accepted_deal, arrived_deal, assert_quiet

Move = Callable[[Harness, str], object]


def close(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, StageName="Closed Won")


def rename(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Name="Other")


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        (close, "will change from Active/Accepted to Closed/Won"),
        (rename, 'Opportunity Name "Other" was not sent'),
    ],
    ids=["close", "rename"],
)
def test_an_edit_between_read_and_write_is_told(harness: Harness, move: Move, sentence: str) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="n")
    harness.first.process.interrupt_at("salesforce.update_unmodified", lambda: move(harness, deal))
    harness.pull_event(harness.referral_of(deal)["id"])
    harness.run_rounds(4)
    assert harness.count_in_audit(deal, sentence) == 1
    assert_quiet(harness)


def test_an_edit_on_hold_between_read_and_write_is_told(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/notes": "n"})
    edit = lambda: harness.seller_edits(deal, Amount=5)  # noqa: E731 - one edit at one moment
    harness.first.process.interrupt_at("salesforce.update_unmodified", edit)
    harness.pull_event(referral)
    harness.run_rounds(4)
    assert harness.count_in_audit(deal, "was not sent: the deal is not accepted yet") == 1


def test_a_value_that_cannot_be_read_is_told_although_the_record_is_young(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/details/currency": "XXQ", "/details/notes": "n"})
    save = lambda: harness.seller_edits(deal, NextStep="x")  # noqa: E731 - as above
    harness.first.process.interrupt_at("salesforce.opportunities", save)
    harness.pull_event(referral)
    harness.run_rounds(4)
    assert harness.count_in_audit(deal, "cannot be read, so it is left alone on both sides") == 1


def test_an_edit_after_the_end_is_told_although_the_record_is_young(harness: Harness) -> None:
    referral, deal = accepted_deal(harness)
    harness.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": "Expired"})
    edit = lambda: harness.seller_edits(deal, Amount=5)  # noqa: E731 - as above
    harness.first.process.interrupt_at("salesforce.opportunities", edit)
    harness.pull_event(referral)
    harness.run_rounds(4)
    assert harness.count_in_audit(deal, "was not sent: the deal is closed in Partner Center") == 1
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1


def test_joined_notes_are_told_once_although_another_value_is_refused(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("Amount")
    harness.seller_edits(deal, Description="First call went well. Ours.")
    harness.colleague_edits(
        harness.referral_of(deal)["id"],
        details_dealValue=12000,
        details_closingDateTime="2027-01-31T00:00:00Z",
        details_notes="Theirs",
    )
    harness.run_rounds(2)
    assert harness.count_in_audit(deal, "Both texts were kept.") == 1


def test_a_refusal_is_not_forgotten_by_a_process_that_stops_after_it(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("CloseDate")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-31T00:00:00Z")
    harness.first.process.interrupt_at("salesforce.update", harness.first.process.crash)
    assert harness.first.crashes_during(lambda instance: instance.pull_event(harness.referral_of(deal)["id"]))
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Not so.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
