"""Off, preview, on, and the two pauses: no cursor moves, nothing is written (protocol.md section 1)."""

from copy import replace

import pytest

from shared.sync.context import Mode, Policy
from tests.unit.sync.harness import HOUR, Harness

READS = {"salesforce.query", "partner_center.list"}


def everything(harness: Harness) -> object:
    """All that a run may not touch where it may write nothing."""
    names = ("push_opportunity", "push_account", "sweep")
    cursors = [harness.store.cursor(name) for name in names]
    links = [entry.value for entry in harness.store.links()]
    return (
        harness.all_versions(),
        cursors,
        links,
        len(harness.referrals()),
        len(harness.salesforce.records("Opportunity")),
    )


@pytest.fixture
def busy(harness: Harness) -> Harness:
    """A shared deal, edited on both sides; a new one, an incomplete one, and a deal that Microsoft sent."""
    deal = harness.shared()
    harness.sweep()
    harness.seller_edits(deal, Amount=7)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-01T00:00:00Z")
    harness.seller_creates(Name="New")
    harness.seller_creates(Name="Incomplete", Amount=None)
    harness.partner_center.microsoft_sends()
    harness.calls()
    return harness


def test_off_does_nothing(busy: Harness) -> None:
    before = everything(busy)
    worker = busy.instance(Policy(mode=Mode.OFF))
    worker.push()
    worker.sweep()
    worker.event(busy.referrals()[-1]["id"])
    assert everything(busy) == before
    assert busy.calls() == {}


def test_preview_plans_and_logs_and_writes_nothing(busy: Harness) -> None:
    before = everything(busy)
    worker = busy.instance(Policy(mode=Mode.PREVIEW))
    worker.push()
    worker.sweep()
    worker.event(busy.referrals()[-1]["id"])
    assert everything(busy) == before
    assert busy.calls().keys() <= READS
    told = {str(fields["run"]): fields for fields in worker.log.of("previewed")}
    assert (told["push"]["creates"], told["push"]["held"], told["push"]["to_partner_center"]) == (1, 1, 1)
    assert (told["sweep"]["creates"], told["sweep"]["to_salesforce"]) == (1, 1)


def test_a_preview_of_an_empty_store_shows_what_would_come(harness: Harness) -> None:
    for number in range(3):
        harness.seller_creates(Name=f"Deal {number}")
    worker = harness.instance(Policy(mode=Mode.PREVIEW))
    worker.push()
    assert [fields["creates"] for fields in worker.log.of("previewed")] == [3]
    assert harness.referrals() == []
    assert list(harness.store.links()) == []


def test_a_preview_ends_quietly_when_a_side_does_not_answer(busy: Harness) -> None:
    worker = busy.instance(Policy(mode=Mode.PREVIEW))
    busy.salesforce.oauth.sessions.clear()
    busy.salesforce.edit("User", busy.door.user, {"IsActive": True})
    before = everything(busy)
    worker.push()
    assert everything(busy) == before


def test_a_paused_push_leaves_salesforces_edits_and_works_what_is_due_for_the_pull(busy: Harness) -> None:
    worker = busy.instance(Policy(paused=frozenset({"push"})))
    cursor = busy.store.cursor("push_opportunity")
    referrals = len(busy.referrals())
    worker.push()
    assert busy.store.cursor("push_opportunity") == cursor
    assert len(busy.referrals()) == referrals
    worker.sweep()
    worker.push()
    assert len(busy.salesforce.records("Opportunity")) == 4  # the inbound deal was pulled


def test_a_paused_pull_leaves_partner_centers_news(busy: Harness) -> None:
    worker = busy.instance(Policy(paused=frozenset({"pull"})))
    before = busy.store.cursor("sweep")
    worker.sweep()
    worker.event(busy.referrals()[-1]["id"])
    worker.push()
    assert busy.store.cursor("sweep") == before
    assert len(busy.salesforce.records("Opportunity")) == 3  # no inbound deal was made
    assert len(busy.referrals()) == 3  # but the new one was pushed


@pytest.mark.parametrize("paused", ["push", "pull"])
def test_nothing_is_lost_over_a_pause(busy: Harness, paused: str) -> None:
    worker = busy.instance(Policy(paused=frozenset({paused})))
    for _ in range(5):
        worker.push(after=HOUR)
        worker.sweep()
    busy.run_rounds()
    for row in busy.salesforce.records("Opportunity"):
        if row["Name"] != "Incomplete":
            assert busy.differences(row["Id"]) == []


def test_what_was_written_in_preview_time_travels_once_the_sync_is_on(harness: Harness) -> None:
    preview = harness.instance(Policy(mode=Mode.PREVIEW))
    deal = harness.seller_creates()
    preview.push()
    harness.later(HOUR)
    on = harness.instance(replace(harness.policy, mode=Mode.ON))
    on.push()
    assert harness.referral_of(deal)
