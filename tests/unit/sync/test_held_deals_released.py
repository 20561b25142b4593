"""The hourly look at a held opportunity ends by itself once nothing is held any more (protocol.md section 8)."""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal


def unticked(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)


def deleted(harness: Harness, deal: str) -> None:
    harness.salesforce.delete("Opportunity", deal)


def linked_by_its_reference(harness: Harness, deal: str) -> None:
    harness.event(harness.partner_center.portal_creates({"externalReferenceId": deal}))
    assert harness.link(deal).referral_id


def linked_by_its_referral_id(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Referral_Identifier__c=microsoft_sends_deal(harness))


def linked_and_then_unticked(harness: Harness, deal: str) -> None:
    linked_by_its_reference(harness, deal)
    unticked(harness, deal)


def mended_and_unticked_before_it_went(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Amount=5, Sync_with_Partner_Center__c=False)


def unticked_and_deleted_and_undeleted(harness: Harness, deal: str) -> None:
    unticked(harness, deal)
    harness.salesforce.delete("Opportunity", deal)
    harness.salesforce.undelete("Opportunity", deal)


ENDS: tuple[Callable[[Harness, str], None], ...] = (
    unticked,
    deleted,
    linked_by_its_reference,
    linked_by_its_referral_id,
    linked_and_then_unticked,
    mended_and_unticked_before_it_went,
    unticked_and_deleted_and_undeleted,
)


@pytest.mark.parametrize("end", ENDS)
def test_the_look_ends_when_nothing_is_held_any_more(harness: Harness, end: Callable[[Harness, str], None]) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.quiet()
    assert [row.cause for row in harness.retry_entries(Side.SALESFORCE)] == ["held"]
    end(harness, deal)
    harness.push(after=HOUR)
    harness.push(after=HOUR)
    harness.calls()
    assert [harness.retry_entries(side) for side in Side] == [[], []]
    harness.push(after=HOUR)
    assert harness.calls() == {"salesforce.query": 1}
