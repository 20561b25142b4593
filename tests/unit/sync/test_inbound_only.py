"""Money and closing date may travel to Salesforce only: a new referral has them, and later edits come from there."""

from collections.abc import Iterator

import pytest

from tests.unit.sync.changed_mappings import Write
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet

INBOUND_ONLY = '[fields.money]\ndirection = "to_salesforce"\n[fields.closing]\ndirection = "to_salesforce"\n'


@pytest.fixture
def inbound(write: Write) -> Iterator[Harness]:
    with Harness(mapping=write(INBOUND_ONLY)) as harness:
        yield harness


def test_a_new_referral_has_both_although_they_travel_to_salesforce_only(inbound: Harness) -> None:
    deal = inbound.shared_deal(Amount=25_000, CloseDate="2030-05-17")
    details = inbound.referral_of(deal)["details"]
    assert (details["dealValue"], details["closingDateTime"][:10]) == (25_000, "2030-05-17")
    assert inbound.differences(deal) == []
    assert_quiet(inbound)


def test_an_edit_in_salesforce_is_put_back(inbound: Harness) -> None:
    deal = inbound.shared_deal(Amount=25_000, CloseDate="2030-05-17")
    inbound.seller_edits(deal, Amount=26_000, CloseDate="2031-01-01")
    inbound.run_rounds()
    record, details = inbound.opportunity(deal), inbound.referral_of(deal)["details"]
    assert (record["Amount"], record["CloseDate"]) == (25_000, "2030-05-17")
    assert (details["dealValue"], details["closingDateTime"][:10]) == (25_000, "2030-05-17")
    assert_quiet(inbound)


def test_an_edit_in_partner_center_travels(inbound: Harness) -> None:
    deal = inbound.shared_deal(Amount=25_000)
    inbound.colleague_edits(inbound.referral_of(deal)["id"], details_dealValue=31_000)
    inbound.run_rounds()
    assert inbound.opportunity(deal)["Amount"] == inbound.referral_of(deal)["details"]["dealValue"] == 31_000
    assert_quiet(inbound)


def test_without_an_amount_no_referral_is_created(inbound: Harness) -> None:
    deal = inbound.seller_creates(Amount=None)
    inbound.run_rounds()
    assert inbound.our_referrals() == []
    assert inbound.count_in_audit(deal, "Amount or its currency is empty") == 1
