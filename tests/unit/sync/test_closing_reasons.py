"""A seller says why a deal is declined, lost or closed as an error (docs/protocol.md#closing-reasons)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.partner_center.closing_reasons import MISTAKE, NOT_WON
from shared.domain import closing_reasons
from tests.unit.emulators.salesforce_metadata.deploy_client import PROJECT
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet
from tests.unit.sync.test_answering import OWN_STAGES, closes, ends, strict

FIELD = PROJECT / "force-app/main/default/objects/Opportunity/fields/Closing_Reason__c.field-meta.xml"


@pytest.fixture(autouse=True)
def _strict(harness: Harness) -> None:
    strict(harness)


@pytest.fixture
def own_stages(tmp_path: Path) -> Iterator[Harness]:
    """A harness whose stages for a decline and for a mistake have no reason of their own."""
    file = tmp_path / "own.toml"
    lines = OWN_STAGES.replace('reason = "Timeline too short"\n', "").replace('reason = "Test referral"\n', "")
    file.write_text(lines, encoding="utf-8")
    with strict(Harness(mapping=file)) as harness:
        yield harness


def test_the_product_knows_the_documented_reasons_and_the_picklist_has_them_all() -> None:
    assert (closing_reasons.NOT_WON, closing_reasons.MISTAKE) == (NOT_WON, MISTAKE)
    text = FIELD.read_text(encoding="utf-8")
    assert all(f"<fullName>{reason}</fullName>" in text for reason in (*NOT_WON, *MISTAKE))


def test_a_decline_without_a_reason_is_not_sent_and_the_audit_asks_once(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, "Closing Reason is empty. Stage Closed Lost closes the deal as Declined") == 1
    assert harness.count_in_audit(deal, "; Timeline too short; Abuse, spam or phishing; Others.") == 1
    assert_quiet(harness)


def test_a_decline_is_sent_as_soon_as_a_reason_is_chosen(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost")
    harness.seller_edits(deal, Closing_Reason__c="Budget not adequate")
    harness.push()
    assert ends(harness, referral) == ("Closed", "Declined", "Budget not adequate")
    harness.run_rounds(1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_the_sellers_own_words_follow_the_reason(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    words = {"Closing_Reason__c": "Timeline too short", "Closing_Reason_Details__c": "Not before 2028"}
    closes(harness, deal, "Closed Lost", **words)
    assert ends(harness, referral) == ("Closed", "Declined", "Timeline too short: Not before 2028")


def test_a_decline_that_is_taken_back_before_a_reason_is_chosen_is_forgotten(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost")
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(1)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_reason_that_the_list_lacks_for_a_decline_is_not_sent(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost", Closing_Reason__c="Test referral")
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert harness.count_in_audit(deal, "Closing Reason Test referral is not a reason for Declined") == 1
    assert harness.count_in_audit(deal, "Please choose one of these Closing Reasons: Budget not adequate; ") == 1
    harness.seller_edits(deal, Closing_Reason__c="Not a customer")
    harness.push()
    assert ends(harness, referral) == ("Closed", "Declined", "Not a customer")


def test_a_reason_that_the_org_has_added_to_its_picklist_is_not_sent(harness: Harness) -> None:
    fields = harness.salesforce.org.model.get("Opportunity").fields
    field = fields["closing_reason__c"]
    fields["closing_reason__c"] = replace(field, restricted=False)
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost", Closing_Reason__c="Bad weather")
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert harness.count_in_audit(deal, "Closing Reason Bad weather is not a reason for Declined") == 1


def test_a_loss_has_the_sellers_reason_or_that_of_the_stage(harness: Harness) -> None:
    chosen, default = harness.shared_deal(), harness.shared_deal(Name="Another deal")
    harness.seller_edits(chosen, StageName="Closed Lost", Closing_Reason__c="Customer chose another vendor")
    harness.seller_edits(default, StageName="Closed Lost")
    harness.push(1)
    harness.run_rounds(1)
    assert harness.referral_of(chosen)["statusReason"] == "Customer chose another vendor"
    assert harness.referral_of(default)["statusReason"] == "Others"


def test_a_stage_for_mistakes_asks_for_a_reason_of_an_error(own_stages: Harness) -> None:
    harness = own_stages
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Mistake")
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert harness.count_in_audit(deal, "closes the deal as Error, which needs one") == 1
    harness.seller_edits(deal, Closing_Reason__c="Data error", Closing_Reason_Details__c="Wrong customer")
    harness.push()
    assert ends(harness, referral) == ("Closed", "Error", "Data error: Wrong customer")


def test_an_org_without_the_field_declines_as_others(harness: Harness) -> None:
    for column in ("closing_reason__c", "closing_reason_details__c"):
        del harness.salesforce.org.model.get("Opportunity").fields[column]
    harness.ask_org_again()
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost")
    assert ends(harness, referral) == ("Closed", "Declined", "Others")
    assert_quiet(harness)


def test_a_text_of_the_mapping_file_goes_behind_others(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN_STAGES.replace('"Timeline too short"', '"Wrong region"'), encoding="utf-8")
    with strict(Harness(mapping=file)) as harness:
        referral, deal = arrived_deal(harness)
        closes(harness, deal, "Declined")
        assert ends(harness, referral) == ("Closed", "Declined", "Others: Wrong region")
