"""With `CUSTOMER_CONSENT=checkbox`, a checkbox decides for each new deal (docs/protocol.md#the-customers-consent)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.policy import Policy
from shared.sync.ask_microsoft import LISTED
from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import AFTER_SETTLE_TIME, HOUR, Harness
from tests.unit.sync.helped_deals import HELP, PROOF, TWO_MINUTES, complete_deal, linked_deal, microsofts_records
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

CONSENTS = "Customer_Consents__c"
CHECKBOX = Policy(needs_consent=True, hold_win=timedelta())
DECLARED = ("consentToContact", "consentToToShareInfoWithOthers", "consentToMicrosoftToContactSpecificPartners")
ASKED, WITHDRAWN = "Please ask the customer, and tick it", "Customer Consents was cleared"


@pytest.fixture
def checkbox() -> Iterator[Harness]:
    """An environment in which the checkbox decides."""
    with Harness(policy=CHECKBOX) as harness:
        yield harness


def test_a_deal_without_the_tick_is_held_told_once_and_sent_when_it_is_ticked(checkbox: Harness) -> None:
    deal = checkbox.seller_creates()
    checkbox.run_rounds()
    assert (checkbox.our_referrals(), checkbox.opportunity(deal)["Sync_Status__c"]) == ([], "Failed")
    assert checkbox.count_in_audit(deal, ASKED) == 1
    checkbox.seller_edits(deal, **{CONSENTS: True})
    checkbox.run_rounds(1)
    assert checkbox.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert all(checkbox.referral_of(deal)["consent"][name] for name in DECLARED)


def test_without_the_setting_no_tick_is_needed(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{CONSENTS: True})
    harness.push()
    harness.seller_edits(deal, **{CONSENTS: False})
    harness.run_rounds(1)
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.count_in_audit(deal, WITHDRAWN)) == ("Synced", 0)


def test_a_tick_that_is_cleared_before_the_create_stops_it(checkbox: Harness) -> None:
    deal = checkbox.seller_creates(**{CONSENTS: True, "Visible_to_Microsoft__c": True})
    checkbox.push()
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds()
    assert (checkbox.our_referrals(), checkbox.count_in_audit(deal, ASKED)) == ([], 1)


def test_a_tick_that_is_cleared_between_a_lost_create_and_its_repetition_stops_it(checkbox: Harness) -> None:
    deal = checkbox.seller_creates(**{CONSENTS: True})
    crashing = checkbox.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash)
    assert crashing.crashes_during(lambda instance: instance.push())
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds(after=AFTER_SETTLE_TIME)
    assert (checkbox.our_referrals(), checkbox.count_in_audit(deal, ASKED)) == ([], 1)


def test_an_org_without_the_column_sends_no_new_deal_and_says_why(checkbox: Harness) -> None:
    restrict_known_columns(checkbox, hidden={f"Opportunity.{CONSENTS}"})
    deal = checkbox.seller_creates()
    checkbox.run_rounds()
    assert checkbox.our_referrals() == []
    assert checkbox.count_in_audit(deal, "This org has no field Customer Consents") == 1


def test_a_consent_that_is_withdrawn_later_is_told_once_and_edits_go_on(checkbox: Harness) -> None:
    deal = checkbox.shared_deal(**{CONSENTS: True})
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds()
    assert (checkbox.count_in_audit(deal, WITHDRAWN), checkbox.opportunity(deal)["Sync_Status__c"]) == (1, "Synced")
    assert_quiet(checkbox)
    checkbox.seller_edits(deal, Amount=12_000)
    checkbox.run_rounds(1)
    assert (checkbox.referral_of(deal)["details"]["dealValue"], checkbox.count_in_audit(deal, WITHDRAWN)) == (12_000, 1)
    checkbox.seller_edits(deal, **{CONSENTS: True})
    checkbox.run_rounds(1)
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds(1)
    assert checkbox.count_in_audit(deal, WITHDRAWN) == 2


def test_a_closed_deal_says_nothing_about_a_withdrawn_consent(checkbox: Harness) -> None:
    deal = checkbox.shared_deal(**{CONSENTS: True})
    checkbox.seller_edits(deal, StageName="Closed Lost")
    checkbox.run_rounds(1)
    checkbox.run_rounds(1)
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds(1)
    assert checkbox.count_in_audit(deal, WITHDRAWN) == 0


def test_a_deal_that_arrives_needs_no_tick_nor_do_its_later_edits(checkbox: Harness) -> None:
    referral = microsoft_sends_deal(checkbox)
    checkbox.pull_event(referral)
    checkbox.push_until_quiet()
    deal = opportunity_of(checkbox, referral)["Id"]
    checkbox.seller_edits(deal, StageName="Qualification", Amount=12_000)
    checkbox.push(HOUR)
    assert checkbox.partner_center.referral(referral)["details"]["dealValue"] == 12_000
    assert (checkbox.count_in_audit(deal, ASKED), checkbox.count_in_audit(deal, WITHDRAWN)) == (0, 0)


def test_help_is_not_asked_once_the_consent_is_withdrawn_because_a_request_declares_it_again(checkbox: Harness) -> None:
    deal = linked_deal(checkbox, **{CONSENTS: True})
    checkbox.seller_edits(deal, **{CONSENTS: False, HELP: PROOF})
    checkbox.run_rounds()
    assert microsofts_records(checkbox) == []
    assert (checkbox.count_in_audit(deal, ASKED), checkbox.count_in_audit(deal, WITHDRAWN)) == (1, 1)
    checkbox.seller_edits(deal, **{CONSENTS: True})
    checkbox.run_rounds()
    assert len(microsofts_records(checkbox)) == 1


def test_a_consent_that_is_withdrawn_between_the_two_creates_stops_the_second(checkbox: Harness) -> None:
    checkbox.store.move_cursor(LISTED, checkbox.now())  # else it would not be repeated anyway
    deal = complete_deal(checkbox, **{CONSENTS: True, HELP: PROOF})
    checkbox.push()
    crashing = checkbox.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash, skip=1)
    assert crashing.crashes_during(lambda instance: instance.push(TWO_MINUTES))
    checkbox.seller_edits(deal, **{CONSENTS: False})
    checkbox.run_rounds(after=AFTER_SETTLE_TIME)
    assert (len(checkbox.our_referrals()), microsofts_records(checkbox)) == (1, [])
