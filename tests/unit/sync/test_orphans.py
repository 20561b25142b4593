"""A referral is never left without its deal: the run stopped after the create, and the opportunity left the sync.

Source: docs/protocol.md#creating-a-referral, docs/protocol.md#states-of-a-link.
"""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import AFTER_LEASE, HOUR, QUARTER, Harness, Instance
from tests.unit.sync.test_inbox import inbox

Leave = Callable[[Harness, str], None]


def untick(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)


def delete(harness: Harness, deal: str) -> None:
    harness.salesforce.delete("Opportunity", deal)


def orphaned(harness: Harness, leave: Leave, seen_before: bool) -> str:
    """A deal whose run stopped right after the create, and that left the sync then."""
    deal = harness.seller_creates()
    crashing = harness.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash, after=True)
    assert crashing.crashes_during(Instance.push)
    if seen_before:
        harness.push()
    leave(harness, deal)
    return deal


@pytest.mark.parametrize(("lag", "seen_before"), [(0.0, False), (600.0, True)])
@pytest.mark.parametrize("leave", [untick, delete])
def test_the_referral_is_adopted_and_nothing_waits_for_ever(
    harness: Harness, leave: Leave, lag: float, *, seen_before: bool
) -> None:
    harness.partner_center.switches.list_lag = lag
    deal = orphaned(harness, leave, seen_before)
    harness.run_rounds(4, by=harness.first)
    harness.push(HOUR)
    link = harness.stored_link(deal)
    assert (link.referral_id, link.intent) == (harness.referral_of(deal)["id"], None)
    assert link.state is (State.PAUSED if leave is untick else State.GONE)
    assert [entry.cause for side in Side for entry in harness.retry_entries(side)] in ([], ["deleted"])
    assert harness.first.log.fields_of("unsynced")[-1] == {"count": 0, "oldest_seconds": 0}
    if leave is delete:
        assert [(one["Key__c"], one["Code__c"]) for one in inbox(harness)] == [(deal, "opportunity_deleted")]
    else:
        assert harness.opportunity(deal)["Referral_Identifier__c"] == link.referral_id


@pytest.mark.parametrize("leave", [untick, delete])
def test_a_deal_whose_create_took_no_effect_leaves_no_row_behind(harness: Harness, leave: Leave) -> None:
    deal = harness.seller_creates()
    crashing = harness.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash)
    assert crashing.crashes_during(Instance.push)
    harness.push()
    leave(harness, deal)
    harness.run_rounds(4, by=harness.first)
    assert harness.our_referrals() == []
    assert harness.store.link(deal) is None
    assert [harness.retry_entries(side) for side in Side] == [[], []]


@pytest.mark.slow
def test_a_crash_at_any_call_of_the_adoption_of_a_deleted_deal_is_made_good() -> None:
    for number in range(0, 60, 3):
        with Harness() as harness:
            deal = orphaned(harness, delete, seen_before=True)
            harness.advance_time(AFTER_LEASE + QUARTER)
            crashing = harness.new_instance()
            crashing.process.crash_at(number, after=True)
            if not crashing.crashes_during(lambda one: one.push(HOUR)):
                break
            harness.run_rounds(4, by=harness.first)
            harness.push(HOUR)
            link = harness.stored_link(deal)
            assert (link.state, link.intent, len(harness.our_referrals()), len(inbox(harness))) == (
                State.GONE,
                None,
                1,
                1,
            )
    else:
        pytest.fail("no crash point is the last")
