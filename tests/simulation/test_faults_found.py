"""Faults that the simulation found in the engine. One that is not mended stays as a strict expected failure.

Each fault has the shortest story that shows it.
"""

from collections.abc import Iterator

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.simulation.moves import TICK
from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness
from tests.unit.sync.outbound_deals import unticked_during_a_run


def fault_found(sentence: str) -> pytest.MarkDecorator:
    """Expect the test to fail by its assertion, and by nothing else."""
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=sentence)


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


@pytest.fixture
def conflict(harness: Harness) -> str:
    """A deal whose Amount both sides changed, to 500 and 600: the reply to the PATCH that writes the 500 is lost."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    # The first PATCH is answered 412, because the colleague was faster.
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH", skip=1))
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 500
    return deal


# --- mended: a second plan within one run forgets nothing that the first one had to report


def test_a_refused_edit_is_reported_after_a_second_plan(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Won")
    harness.seller_edits(deal, Amount=777)
    harness.push(after=0.0)
    harness.run_rounds()
    assert harness.count_in_audit(deal, "777.00 USD") == 1


# --- mended: lines that are stored before a write reach the audit although the write is not needed any more


def test_a_refused_edit_is_reported_although_its_write_is_not_needed_any_more(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Won")
    harness.seller_edits(deal, Amount=777)

    def close_too() -> None:
        harness.advance_time(5.0)
        harness.seller_edits(deal, StageName="Closed Won")

    harness.first.process.interrupt_at("salesforce.update_unmodified", close_too)
    harness.push()
    harness.run_rounds()
    assert harness.count_in_audit(deal, "777.00 USD") == 1


# --- mended: of paths that are sent singly, the close is the last


def test_a_value_beside_a_guilty_one_and_a_close_is_sent(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.advance_time(HOUR)
    harness.seller_edits(deal, Amount=-5, CloseDate="2027-05-05")
    harness.run_rounds()
    referral = harness.referral_of(deal)
    assert (referral["status"], referral["details"]["closingDateTime"][:10]) == ("Closed", "2027-05-05")


# --- mended: what is recovered for a pair without a tick is reported


def test_a_recovered_write_of_an_unticked_deal_is_reported_once_it_is_ticked(harness: Harness, conflict: str) -> None:
    harness.seller_edits(conflict, **{TICK: False})
    harness.sweep(AFTER_LEASE)
    harness.seller_edits(conflict, **{TICK: True})
    harness.run_rounds()
    assert harness.count_in_audit(conflict, "600.00 USD") == 1


# --- mended: a displaced value that nobody saw is told, although it was edited again before the recovery


def test_a_displaced_value_is_reported_although_it_was_edited_before_the_recovery(
    harness: Harness, conflict: str
) -> None:
    harness.colleague_edits(harness.referral_of(conflict)["id"], details_dealValue=700)
    harness.run_rounds()
    assert harness.count_in_audit(conflict, "700.00 USD") >= 1
    assert harness.count_in_audit(conflict, "600.00 USD") == 1


# --- mended: whatever ends a plan ends its writes


def test_an_edit_is_sent_once_although_the_tick_is_removed_during_the_run(harness: Harness) -> None:
    deal = unticked_during_a_run(harness)
    harness.seller_edits(deal, **{TICK: True})
    harness.run_rounds()
    assert harness.count_in_audit(deal, "→ 777.00 USD") == 1


# --- a crash between the release and the retry queue leaves no pair behind


def test_a_pair_with_an_unwritten_audit_is_found_again_after_a_crash(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Won")
    harness.seller_edits(deal, StageName="Closed Won", Amount=777)
    harness.lock_record(deal)
    process = harness.first.process
    process.interrupt_at("store.put_retry_entry", process.crash)
    assert harness.first.crashes_during(lambda instance: instance.push())
    harness.run_rounds(by=harness.new_instance())
    assert harness.count_in_audit(deal, "777.00 USD") == 1
