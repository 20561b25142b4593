"""In off, preview and pause, no cursor moves and nothing is written (docs/protocol.md#off-preview-on)."""

from copy import replace

import pytest

from shared.sync.ports import Mode, Policy
from tests.unit.sync.harness import HOUR, Harness


def observed_state(harness: Harness) -> object:
    """Everything that a run must not change if it may not write."""
    names = ("push_opportunity", "push_account", "sweep")
    cursors = [harness.store.cursor(name) for name in names]
    links = [entry.value for entry in harness.store.links()]
    return (
        harness.all_versions(),
        cursors,
        links,
        len(harness.our_referrals()),
        len(harness.salesforce.records("Opportunity")),
    )


@pytest.fixture
def changed(harness: Harness) -> Harness:
    """A harness with a linked deal that both sides edited, a new deal, an incomplete one, and one from Microsoft."""
    deal = harness.shared_deal()
    harness.sweep()
    harness.seller_edits(deal, Amount=7)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-01T00:00:00Z")
    harness.seller_creates(Name="New")
    harness.seller_creates(Name="Incomplete", Amount=None)
    harness.partner_center.microsoft_sends()
    harness.forget_calls()
    return harness


def test_off_makes_no_call_and_no_change(changed: Harness) -> None:
    before = observed_state(changed)
    worker = changed.new_instance(Policy(mode=Mode.OFF))
    worker.push()
    worker.sweep()
    worker.pull_event(changed.our_referrals()[-1]["id"])
    assert observed_state(changed) == before
    assert changed.new_calls() == {}


def test_preview_starts_no_run(changed: Harness) -> None:
    """What a run would do is logged by the timer of the push (`shared/operations/log_preview.py`)."""
    before = observed_state(changed)
    worker = changed.new_instance(Policy(mode=Mode.PREVIEW))
    worker.push()
    worker.sweep()
    worker.pull_event(changed.our_referrals()[-1]["id"])
    assert observed_state(changed) == before
    assert changed.new_calls() == {}
    assert [fields["reason"] for fields in worker.log.fields_of("run_skipped")] == ["preview"] * 3


def test_a_paused_push_ignores_salesforces_edits_and_still_works_on_the_pulls_retry_queue(changed: Harness) -> None:
    worker = changed.new_instance(Policy(paused=frozenset({"push"})))
    cursor = changed.store.cursor("push_opportunity")
    referrals = len(changed.our_referrals())
    worker.push()
    assert changed.store.cursor("push_opportunity") == cursor
    assert len(changed.our_referrals()) == referrals
    worker.sweep()
    worker.push()
    assert len(changed.salesforce.records("Opportunity")) == 4  # the inbound deal was pulled


def test_a_paused_pull_ignores_partner_centers_changes_and_the_push_continues(changed: Harness) -> None:
    worker = changed.new_instance(Policy(paused=frozenset({"pull"})))
    before = changed.store.cursor("sweep")
    worker.sweep()
    worker.pull_event(changed.our_referrals()[-1]["id"])
    worker.push()
    assert changed.store.cursor("sweep") == before
    assert len(changed.salesforce.records("Opportunity")) == 3  # no inbound deal was created
    assert len(changed.our_referrals()) == 3  # the seller's new deal was pushed


@pytest.mark.parametrize("paused", ["push", "pull"])
def test_no_edit_is_lost_during_a_pause(changed: Harness, paused: str) -> None:
    worker = changed.new_instance(Policy(paused=frozenset({paused})))
    for _ in range(5):
        worker.push(after=HOUR)
        worker.sweep()
    changed.run_rounds()
    for record in changed.salesforce.records("Opportunity"):
        if record["Name"] != "Incomplete":
            assert changed.differences(record["Id"]) == []


def test_an_opportunity_created_during_preview_is_sent_once_the_sync_is_on(harness: Harness) -> None:
    preview = harness.new_instance(Policy(mode=Mode.PREVIEW))
    deal = harness.seller_creates()
    preview.push()
    harness.advance_time(HOUR)
    on = harness.new_instance(replace(harness.policy, mode=Mode.ON))
    on.push()
    assert harness.referral_of(deal)
