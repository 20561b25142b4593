"""Outside production no deal is shared with Microsoft (docs/protocol.md#an-environment-touches-only-its-own)."""

from collections.abc import Iterator

import pytest

from shared.clients.partner_center.referrals import PrivateReferrals
from shared.domain.deal import Side
from shared.operations.preview import preview_next
from shared.operations.preview_context import preview_of
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.helped_deals import HELP, PROOF, complete_deal, linked_deal, microsofts_records
from tests.unit.sync.test_deal_type import VISIBLE, is_ticked, is_visible

TOLD = "shares no deals with Microsoft"
HELP_TOLD = "Microsoft is not asked for help from this test environment"


@pytest.fixture
def staging() -> Iterator[Harness]:
    """A staging environment, on the tenant of production."""
    with Harness(policy=Policy(may_share=False), tag="STAGING") as harness:
        yield harness


@pytest.mark.parametrize("wish", [{VISIBLE: True}, {HELP: PROOF}])
def test_a_new_deal_for_microsoft_is_held_and_told_once(staging: Harness, wish: dict[str, object]) -> None:
    deal = complete_deal(staging, **wish)
    staging.run_rounds()
    assert (staging.our_referrals(), staging.opportunity(deal)["Sync_Status__c"]) == ([], "Failed")
    assert staging.count_in_audit(deal, TOLD) == 1
    assert preview_next(preview_of(staging.new_instance().ctx, staging.rows)).counts("push")["creates"] == 0
    staging.seller_edits(deal, **{VISIBLE: False, HELP: None})
    staging.run_rounds(1)
    assert (is_visible(staging, deal), staging.opportunity(deal)["Sync_Status__c"]) == (False, "Synced")


def test_a_held_deal_is_sent_once_a_setting_says_that_the_tenant_is_a_test_tenant(staging: Harness) -> None:
    deal = staging.seller_creates(**{VISIBLE: True})
    staging.push()
    on_test_tenant = staging.new_instance(Policy())
    on_test_tenant.push(HOUR)
    on_test_tenant.push(2 * MINUTE)
    assert (is_visible(staging, deal), staging.referral_of(deal)["type"]) == (True, "Shared")


def test_a_linked_deal_that_is_ticked_later_syncs_and_stays_private(staging: Harness) -> None:
    deal = staging.shared_deal()
    staging.seller_edits(deal, **{VISIBLE: True}, Amount=12_000)
    staging.run_rounds()
    referral = staging.referral_of(deal)
    assert (is_visible(staging, deal), referral["details"]["dealValue"]) == (False, 12_000)
    assert staging.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert (is_ticked(staging, deal), staging.count_in_audit(deal, TOLD)) == (True, 1)
    assert staging.retry_entries(Side.SALESFORCE) == []
    staging.forget_calls()
    staging.push()
    assert staging.new_calls()["partner_center.patch"] == 0
    staging.seller_edits(deal, **{VISIBLE: False})
    staging.run_rounds(1)
    assert staging.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_linked_deal_that_asks_for_help_later_syncs_and_stays_private(staging: Harness) -> None:
    deal = linked_deal(staging)
    staging.seller_edits(deal, **{HELP: PROOF}, Amount=12_000)
    staging.run_rounds()
    referral = staging.referral_of(deal)
    assert (is_visible(staging, deal), referral["details"]["dealValue"]) == (False, 12_000)
    assert (staging.new_calls()["partner_center.create"], microsofts_records(staging)) == (0, [])
    assert (staging.count_in_audit(deal, HELP_TOLD), staging.count_in_audit(deal, TOLD)) == (1, 0)


def test_no_help_is_asked_for_a_deal_that_a_colleague_has_shared(staging: Harness) -> None:
    deal = linked_deal(staging)
    staging.colleague_edits(staging.referral_of(deal)["id"], consent_consentToShareReferralWithMicrosoftSellers=True)
    staging.seller_edits(deal, **{HELP: PROOF})
    staging.run_rounds()
    assert microsofts_records(staging) == []
    assert (staging.count_in_audit(deal, HELP_TOLD), staging.count_in_audit(deal, TOLD)) == (1, 0)


def test_a_deal_that_a_colleague_shares_in_the_portal_is_shown_as_visible(staging: Harness) -> None:
    deal = staging.shared_deal()
    staging.colleague_edits(staging.referral_of(deal)["id"], consent_consentToShareReferralWithMicrosoftSellers=True)
    staging.run_rounds(1)
    assert (is_ticked(staging, deal), staging.count_in_audit(deal, TOLD)) == (True, 0)


@pytest.mark.parametrize("wish", [{VISIBLE: True}, {HELP: PROOF}])
def test_the_client_sends_nothing_even_if_a_plan_is_wrong_and_the_deal_is_parked(
    monkeypatch: pytest.MonkeyPatch, wish: dict[str, object]
) -> None:
    monkeypatch.setattr("tests.unit.sync.harness.Referrals", PrivateReferrals)
    with Harness(policy=Policy(), tag="STAGING") as harness:
        deal = complete_deal(harness, **wish)
        harness.run_rounds()
        assert (list(harness.partner_center.referrals()), harness.new_calls()["partner_center.create"]) == ([], 0)
        assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
        assert harness.count_in_audit(deal, "this environment shares no deal with Microsoft") == 1
