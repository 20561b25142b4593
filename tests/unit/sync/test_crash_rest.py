"""A run that stops at any call while a deal comes to rest: the next ones bring it there, and tell it once.

Source: docs/protocol.md#states-of-a-link.
"""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import recover_after_lease

TOLD = {State.PAUSED: "is not ticked any more", State.CLOSED: "Closed/Lost"}


def unticked(harness: Harness) -> str:
    """A deal whose tick was removed beside an edit."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False, Amount=777)
    return deal


def closed_there(harness: Harness) -> str:
    """A deal that a colleague has closed, and whose opportunity has an edit that did not travel."""
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.seller_edits(deal, Amount=777)
    harness.advance_time(2 * MINUTE)
    return deal


@pytest.mark.slow
@pytest.mark.parametrize(("arrange", "state"), [(unticked, State.PAUSED), (closed_there, State.CLOSED)])
def test_the_deal_comes_to_rest_and_is_told_once(arrange: Callable[[Harness], str], state: State) -> None:
    points, _ = crash_points(arrange, Instance.push)
    assert len(points) > 2
    for number in points:
        with Harness() as harness:
            deal = arrange(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            assert instance.crashes_during(Instance.push)
            recover_after_lease(harness)
            harness.run_rounds(2, after=HOUR)
            link = harness.stored_link(deal)
            assert (link.state, link.intent) == (state, None), number
            assert harness.count_in_audit(deal, TOLD[state]) == 1, number
            assert [harness.retry_entries(side) for side in Side] == [[], []], number
            assert harness.referral_of(deal)["details"]["dealValue"] == 10000, number
