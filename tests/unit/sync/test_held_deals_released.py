"""A held opportunity is looked at each hour only as long as it is held (docs/protocol.md#the-retry-queue)."""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal


def untick(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)


def delete(harness: Harness, deal: str) -> None:
    harness.salesforce.delete("Opportunity", deal)


def link_by_reference(harness: Harness, deal: str) -> None:
    harness.pull_event(harness.partner_center.portal_creates({"externalReferenceId": deal}))
    assert harness.stored_link(deal).referral_id


def link_by_referral_id(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Referral_Identifier__c=microsoft_sends_deal(harness))


def link_and_untick(harness: Harness, deal: str) -> None:
    link_by_reference(harness, deal)
    untick(harness, deal)


def complete_and_untick(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Amount=5, Sync_with_Partner_Center__c=False)


def untick_delete_and_undelete(harness: Harness, deal: str) -> None:
    untick(harness, deal)
    harness.salesforce.delete("Opportunity", deal)
    harness.salesforce.undelete("Opportunity", deal)


RELEASES: tuple[Callable[[Harness, str], None], ...] = (
    untick,
    delete,
    link_by_reference,
    link_by_referral_id,
    link_and_untick,
    complete_and_untick,
    untick_delete_and_undelete,
)


@pytest.mark.parametrize("release", RELEASES)
def test_the_hourly_look_ends_once_the_opportunity_is_no_longer_held(
    harness: Harness, release: Callable[[Harness, str], None]
) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["held"]
    release(harness, deal)
    harness.push(after=HOUR)
    harness.push(after=HOUR)
    harness.forget_calls()
    assert [harness.retry_entries(side) for side in Side] == [[], []]
    harness.push(after=HOUR)
    assert harness.new_calls() == {"salesforce.query": 1}
