"""A referral that Partner Center does not show is left alone, unless Partner Center has just listed it.

Source: docs/protocol.md#creating-an-opportunity.
"""

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of, opportunity_of


def hide(harness: Harness, referral: str, times: int) -> None:
    """Let Partner Center list a referral, and not show it to the next reads."""
    body = '{"error":{"code":"itemNotFound"}}'
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=referral, status=404, times=times, body=body)
    )


def test_a_referral_that_does_not_exist_is_read_once_logged_and_not_retried(harness: Harness) -> None:
    harness.pull_event("00000000-0000-4000-8000-000000000000")
    assert harness.new_calls() == {"partner_center.get": 1}
    assert harness.first.log.fields_of("referral_missing") == [{"referral_id": "00000000-0000-4000-8000-000000000000"}]
    harness.run_rounds(1)
    assert harness.new_calls()["partner_center.get"] == 0


def test_a_listed_referral_that_is_not_shown_at_first_becomes_an_opportunity(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    hide(harness, referral, times=1)
    harness.sweep()
    assert opportunities_of(harness, referral) == []
    harness.advance_time(24 * HOUR)  # the cursor of the sweep has passed it
    harness.push()
    assert opportunity_of(harness, referral)["Name"]


def test_a_listed_referral_that_is_never_shown_is_read_six_times_more(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    hide(harness, referral, times=99)
    harness.sweep()
    for _ in range(9):
        harness.push(after=HOUR)
    assert len(harness.first.log.fields_of("referral_missing")) == 1 + 6
