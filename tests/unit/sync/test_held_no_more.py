"""The hourly look at a held opportunity ends by itself once nothing is held any more (protocol.md section 8)."""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.arrivals import sent
from tests.unit.sync.bench import HOUR, Bench


def unticked(bench: Bench, deal: str) -> None:
    bench.seller_edits(deal, Sync_with_Partner_Center__c=False)


def deleted(bench: Bench, deal: str) -> None:
    bench.salesforce.delete("Opportunity", deal)


def linked_by_its_reference(bench: Bench, deal: str) -> None:
    bench.event(bench.partner_center.portal_creates({"externalReferenceId": deal}))
    assert bench.link(deal).referral_id


def linked_by_its_referral_id(bench: Bench, deal: str) -> None:
    bench.seller_edits(deal, Referral_Identifier__c=sent(bench))


def linked_and_then_unticked(bench: Bench, deal: str) -> None:
    linked_by_its_reference(bench, deal)
    unticked(bench, deal)


def mended_and_unticked_before_it_went(bench: Bench, deal: str) -> None:
    bench.seller_edits(deal, Amount=5, Sync_with_Partner_Center__c=False)


def unticked_and_deleted_and_undeleted(bench: Bench, deal: str) -> None:
    unticked(bench, deal)
    bench.salesforce.delete("Opportunity", deal)
    bench.salesforce.undelete("Opportunity", deal)


ENDS: tuple[Callable[[Bench, str], None], ...] = (
    unticked,
    deleted,
    linked_by_its_reference,
    linked_by_its_referral_id,
    linked_and_then_unticked,
    mended_and_unticked_before_it_went,
    unticked_and_deleted_and_undeleted,
)


@pytest.mark.parametrize("end", ENDS)
def test_the_look_ends_when_nothing_is_held_any_more(bench: Bench, end: Callable[[Bench, str], None]) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    assert [row.cause for row in bench.due(Side.SALESFORCE)] == ["held"]
    end(bench, deal)
    bench.push(after=HOUR)
    bench.push(after=HOUR)
    bench.calls()
    assert [bench.due(side) for side in Side] == [[], []]
    bench.push(after=HOUR)
    assert bench.calls() == {"salesforce.query": 1}
