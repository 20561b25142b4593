"""Who hears Microsoft reads an opportunity, too: what a seller did there since is still seen by the next push."""

import pytest

from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.heard_deals import STATUS, accept, hear, heard_deal
from tests.unit.sync.polled_deals import push_often

TICK = "Sync_with_Partner_Center__c"


def hear_news(harness: Harness, deal: str) -> None:
    """Microsoft accepts, and the event comes before the next push, once the seller's save has rested."""
    accept(harness, deal)
    harness.advance_time(MINUTE)
    hear(harness, deal)


@pytest.mark.parametrize("ticked", [True, False])
def test_a_tick_that_is_heard_of_before_the_push_still_counts(harness: Harness, *, ticked: bool) -> None:
    deal = heard_deal(harness)
    if ticked:
        harness.seller_edits(deal, **{TICK: False})
        harness.push()
    harness.seller_edits(deal, **{TICK: ticked})
    hear_news(harness, deal)
    harness.push()
    assert harness.stored_link(deal).state is (State.LIVE if ticked else State.PAUSED)


def test_an_edit_of_a_closed_deal_that_is_heard_of_before_the_push_is_still_told(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.push(3 * MINUTE)
    harness.push(HOUR)
    assert harness.stored_link(deal).state is State.CLOSED
    harness.seller_edits(deal, Amount=777)
    harness.advance_time(MINUTE)
    hear(harness, deal)
    harness.push()
    assert harness.count_in_audit(deal, 'Amount "777.00 USD" was not sent') == 1


def test_a_restored_deal_that_is_heard_of_before_the_push_goes_on(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.salesforce.delete("Opportunity", deal)
    push_often(harness)
    harness.salesforce.undelete("Opportunity", deal)
    hear_news(harness, deal)
    push_often(harness)
    assert harness.stored_link(deal).state is State.LIVE


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "deleted"])
def test_what_was_heard_while_the_opportunity_was_gone_is_shown_once_it_is_back(
    harness: Harness, *, hidden: bool
) -> None:
    """Neither a later event nor the sweep names the record again."""
    deal, salesforce = heard_deal(harness), harness.salesforce
    if hidden:
        salesforce.org.sharing.models["Opportunity"] = "Private"
    else:
        salesforce.delete("Opportunity", deal)
    hear_news(harness, deal)
    assert harness.stored_link(deal).state is State.GONE
    if hidden:
        salesforce.org.sharing.models.pop("Opportunity")
    else:
        salesforce.undelete("Opportunity", deal)
    harness.advance_time(HOUR)
    push_often(harness)
    assert harness.stored_link(deal).state is State.LIVE
    assert harness.opportunity(deal)[STATUS] == "Accepted"
    assert harness.count_in_audit(deal, "Microsoft has accepted this deal") == 1
