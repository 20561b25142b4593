"""The sync continues a store that commit f9a8dde wrote, with both systems as that commit left them.

tests/unit/store/stored_rows/README.md describes the stored rows. The faults of that time are gone. All interrupted work
ends as f9a8dde would have ended it, and nothing is created twice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.store.stored_store import INTERRUPTED, SIGNED_OUT, described_link, long_notes
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, QUARTER
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of
from tests.unit.sync.stored_harness import StoredHarness


@dataclass(frozen=True, slots=True)
class ExpectedEnd:
    """How a pair must end: Salesforce's amount, the number of new audit lines, stage, status, mark, and the fields in
    which the two sides still differ."""

    amount: float | None
    lines: int = 0
    stage: str = "Qualification"
    status: str = "Active"
    mark: str = "Synced"
    differs: tuple[str, ...] = ()


ARRIVED = ExpectedEnd(25000, 1, "On Hold", "New", "Waiting")
TICKED = ExpectedEnd(25000, 2, "On Hold", "New", "Waiting")
"""An opportunity that f9a8dde made is ticked as visible to Microsoft once its pair is looked at."""
EXPECTED_ENDS = {
    # nothing was left to do
    "live": ExpectedEnd(10000),
    "long notes": ExpectedEnd(10000),
    "accepted": ExpectedEnd(25000, 1),
    "on hold": ExpectedEnd(25000, 1, "On Hold", "New", "Waiting"),  # looked at, because its end is not known
    # refused or not shared
    "closed": ExpectedEnd(20000, 0, "Closed Won", "Closed", differs=("money",)),
    "value refused by Partner Center": ExpectedEnd(-5, mark="Failed", differs=("money",)),
    "value refused by Salesforce": ExpectedEnd(10000, mark="Failed", differs=("closing",)),
    "not shared any more": ExpectedEnd(77, differs=("money",)),
    # interrupted between an intent and its end
    "create sent": ExpectedEnd(10000, 1),
    "create not sent": ExpectedEnd(10000, 1),
    "create of unknown outcome": ExpectedEnd(10000, 1),
    "patch sent": ExpectedEnd(31000, 2),
    "patch not sent": ExpectedEnd(31000, 2),
    "both sides to be written": ExpectedEnd(32000, 5),
    "opportunity written": ExpectedEnd(33000, 1),
    "opportunity not written": ExpectedEnd(33000, 1),
    "mark to be written": ExpectedEnd(34000),
    "lock taken": ExpectedEnd(35000, 1),
    "arrival made": TICKED,
    "arrival not made": ARRIVED,
    "arrival claimed": ARRIVED,
    "arrival of unknown outcome": TICKED,
    "arrival linked": ARRIVED,
    # waiting in the retry queue, each for its own cause
    "close waits": ExpectedEnd(10000, 1, "Closed Lost", "Closed"),
    "row locked": ExpectedEnd(21000),
    "Partner Center down": ExpectedEnd(22000, 1),
    "kept changing there": ExpectedEnd(23000, 1),
    "mark refused": ExpectedEnd(24000),
    "referral not found": ExpectedEnd(41000, 1),
    "pulled while down": ExpectedEnd(42000, 1),
    "pull locked": ExpectedEnd(43000, 1),
    "kept changing here": ExpectedEnd(44000),
    "poisoned": ExpectedEnd(45000, 1),
    "throttled": ExpectedEnd(46000, 1),
    "after the throttled": ExpectedEnd(47000, 1),
    "event while paused": ExpectedEnd(48000, 1),
    "arrival refused": ARRIVED,
}
WITHOUT_REFERRAL = {"held": State.HELD, "create refused": State.PARKED}
WITHIN_LEASE = [
    "patch sent",
    "patch not sent",
    "both sides to be written",
    "opportunity written",
    "opportunity not written",
    "mark to be written",
    "lock taken",
    "create of unknown outcome",
]


@pytest.fixture(scope="module")
def continued() -> Iterator[StoredHarness]:
    """The scene an hour and a half later. The first run comes after the stored pause of Partner Center's side."""
    with StoredHarness(INTERRUPTED) as harness:
        for after in (MINUTE, AFTER_LEASE, AFTER_LEASE, AFTER_LEASE, HOUR):
            harness.push(after)
            harness.sweep()
        yield harness


@pytest.fixture
def stored() -> Iterator[StoredHarness]:
    with StoredHarness(INTERRUPTED) as harness:
        yield harness


@pytest.fixture
def signed_out() -> Iterator[StoredHarness]:
    with StoredHarness(SIGNED_OUT) as harness:
        yield harness


def count_new_lines(harness: StoredHarness, deal: str) -> int:
    return len(harness.store.audit(deal)) - len(harness.scene.of(f"O|{deal}", "a|"))


# --- how the pairs end ------------------------------------------------------------------------------------------------


def test_every_pair_of_the_scene_has_an_expected_end(continued: StoredHarness) -> None:
    assert {*EXPECTED_ENDS, *WITHOUT_REFERRAL} == set(continued.scene.pairs)


@pytest.mark.parametrize("name", EXPECTED_ENDS)
def test_a_stored_pair_ends_as_commit_f9a8dde_would_have_ended_it(continued: StoredHarness, name: str) -> None:
    end, deal, referral = EXPECTED_ENDS[name], continued.pair_opportunity_id(name), continued.pair_referral(name)
    opportunity, link = continued.opportunity(deal), continued.stored_link(deal)
    assert (opportunity["Amount"], opportunity["StageName"], opportunity["Sync_Status__c"]) == (
        end.amount,
        end.stage,
        end.mark,
    )
    assert referral["status"] == end.status
    assert tuple(continued.differences(deal)) == end.differs
    assert (link.intent, link.referral_id) == (None, referral["id"])
    assert opportunity["Referral_Identifier__c"] == referral["id"]
    pointer = continued.store.pointer(referral["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    assert count_new_lines(continued, deal) == end.lines
    assert len(continued.audit_texts(deal)) == len(continued.store.audit(deal))


def test_two_joined_notes_stand_once_each_on_both_sides(continued: StoredHarness) -> None:
    notes = continued.opportunity(continued.pair_opportunity_id("both sides to be written"))["Description"]
    assert continued.pair_referral("both sides to be written")["details"]["notes"] == notes
    assert (notes.count("A word of the seller."), notes.count("A word of a colleague.")) == (1, 1)


def test_no_record_is_created_twice(continued: StoredHarness, stored: StoredHarness) -> None:
    def count_created(sobject: str) -> int:
        return len(continued.salesforce.records(sobject)) - len(stored.salesforce.records(sobject))

    assert len(continued.our_referrals()) == len(stored.our_referrals()) + 1  # "create not sent"
    # Created are "arrival not made", "arrival claimed" and "arrival refused".
    assert count_created("Opportunity") == count_created("Account") == 3
    references = Counter(
        reference for referral in continued.our_referrals() if (reference := referral["externalReferenceId"])
    )
    identifiers = Counter(record["Referral_Identifier__c"] for record in continued.salesforce.records("Opportunity"))
    del identifiers[None]
    assert {*references.values(), *identifiers.values()} == {1}


@pytest.mark.parametrize("name", WITHOUT_REFERRAL)
def test_a_held_or_refused_deal_keeps_its_state_and_gets_no_referral(continued: StoredHarness, name: str) -> None:
    deal = continued.pair_opportunity_id(name)
    assert continued.stored_link(deal).state is WITHOUT_REFERRAL[name]
    assert continued.opportunity(deal)["Sync_Status__c"] == "Failed"
    reference = continued.scope.reference(deal)
    assert reference not in [referral["externalReferenceId"] for referral in continued.our_referrals()]


@pytest.mark.parametrize("name", WITHOUT_REFERRAL)
def test_a_reported_cause_of_a_held_or_refused_deal_is_not_reported_again(continued: StoredHarness, name: str) -> None:
    """The link keeps the code and the sentence that were reported. A new wording must not report the cause again."""
    deal = continued.pair_opportunity_id(name)
    assert count_new_lines(continued, deal) == 0
    assert len(continued.audit_texts(deal)) == len(continued.store.audit(deal))


def test_only_the_held_deal_still_waits_and_no_run_has_failed(continued: StoredHarness) -> None:
    assert [(entry.key, entry.cause) for entry in continued.retry_entries(Side.SALESFORCE)] == [
        (continued.pair_opportunity_id("held"), "held")
    ]
    assert continued.retry_entries(Side.PARTNER_CENTER) == []
    assert not continued.first.log.fields_of("run_failed")
    assert not continued.first.log.fields_of("pair_failed")


def test_one_more_round_writes_nothing(continued: StoredHarness) -> None:
    continued.forget_calls()
    assert_quiet(continued)
    assert not {"salesforce.conditional", "salesforce.write_back", "salesforce.graph"} & set(continued.new_calls())


# --- when the work is done --------------------------------------------------------------------------------------------


def test_a_stored_pause_lasts_until_its_time(stored: StoredHarness) -> None:
    stored.push(after=30.0)
    stored.sweep(after=5.0)
    assert stored.new_calls() == {}
    stored.push(after=10.0)
    assert stored.new_calls()["salesforce.query"] > 0


def test_interrupted_work_is_not_changed_within_its_lease(stored: StoredHarness) -> None:
    stored.push(after=MINUTE)
    for name in WITHIN_LEASE:
        deal = stored.pair_opportunity_id(name)
        (row,) = stored.scene.of(f"O|{deal}", "link")
        assert described_link(stored.stored_link(deal)) == row.reads
    stored.push(after=AFTER_LEASE)
    unfinished = [
        name for name in WITHIN_LEASE if stored.stored_link(stored.pair_opportunity_id(name)).intent is not None
    ]
    # The create waits ten minutes more, because Partner Center's list may be late.
    assert unfinished == ["create of unknown outcome"]


def test_a_create_is_not_repeated_before_lease_and_settle_time(stored: StoredHarness) -> None:
    stored.push(after=AFTER_LEASE)
    stored.push(after=MINUTE)
    assert stored.new_calls()["partner_center.create"] == 0
    stored.push(after=QUARTER - AFTER_LEASE)
    assert stored.new_calls()["partner_center.create"] == 1  # for "create not sent" alone
    assert stored.pair_referral("create not sent")


def test_a_waiting_close_is_sent_after_its_wait(stored: StoredHarness) -> None:
    stored.push(after=MINUTE)
    assert stored.pair_referral("close waits")["status"] == "Active"
    stored.push(after=MINUTE)
    closed = stored.pair_referral("close waits")
    assert (closed["status"], closed["substatus"]) == ("Closed", "Lost")


def test_a_failed_sign_in_is_probed_after_15_minutes(signed_out: StoredHarness) -> None:
    for _ in range(13):
        signed_out.push(after=MINUTE)
    assert signed_out.new_calls() == {}
    signed_out.push(after=2 * MINUTE)
    signed_out.push()
    assert signed_out.pair_referral("live")["details"]["dealValue"] == 51000
    assert signed_out.opportunity(signed_out.pair_opportunity_id("arrival"))["StageName"] == "On Hold"
    held = signed_out.pair_opportunity_id("held")
    assert (signed_out.opportunity(held)["Sync_Status__c"], len(signed_out.audit_texts(held))) == ("Failed", 1)
    signed_out.run_rounds()
    assert_quiet(signed_out)


def test_the_poll_continues_from_the_stored_cursors(stored: StoredHarness) -> None:
    names = set(stored.store.cursors())
    deals = len(stored.salesforce.records("Opportunity"))
    assert stored.push(after=MINUTE).seen < deals
    stored.sweep()
    later = {f"push_{query}" for query in ("role", "contact", "owner", "deleted")}
    assert set(stored.store.cursors()) == names | later


# --- what people do next ----------------------------------------------------------------------------------------------


def test_a_corrected_or_completed_value_is_sent(stored: StoredHarness) -> None:
    account = stored.opportunity(stored.pair_opportunity_id("held"))["AccountId"]
    stored.salesforce.edit("Account", account, {"BillingCountry": "US"})
    stored.seller_edits(stored.pair_opportunity_id("held"), Amount=5)
    stored.seller_edits(stored.pair_opportunity_id("create refused"), Amount=6)
    stored.seller_edits(stored.pair_opportunity_id("value refused by Partner Center"), Amount=7)
    stored.seller_edits(stored.pair_opportunity_id("on hold"), StageName="Qualification", Amount=8)
    refused = stored.pair_referral("value refused by Salesforce")["id"]
    stored.colleague_edits(refused, details_closingDateTime="2027-06-01T00:00:00Z")
    stored.run_rounds(2)
    deal_values = {name: stored.pair_referral(name)["details"]["dealValue"] for name in stored.scene.pairs}
    assert [deal_values[name] for name in ("held", "create refused", "value refused by Partner Center", "on hold")] == [
        5,
        6,
        7,
        8,
    ]
    assert stored.pair_referral("on hold")["status"] == "Active"
    assert stored.opportunity(stored.pair_opportunity_id("value refused by Salesforce"))["CloseDate"] == "2027-06-01"
    for name in (*WITHOUT_REFERRAL, "value refused by Partner Center", "value refused by Salesforce", "on hold"):
        deal = stored.pair_opportunity_id(name)
        assert (stored.stored_link(deal).state, stored.opportunity(deal)["Sync_Status__c"]) == (State.LIVE, "Synced")


def test_only_what_salesforce_refused_is_written_again_without_another_value(
    stored: StoredHarness,
) -> None:
    for name in ("create refused", "value refused by Partner Center"):
        stored.seller_edits(stored.pair_opportunity_id(name), NextStep="Call again")
    other = stored.pair_referral("value refused by Salesforce")["id"]
    stored.colleague_edits(other, details_notes="Call again.")
    stored.run_rounds(2)
    assert [entry.status for entry in stored.partner_center.journal if entry.status == 400] == []
    opportunity = stored.opportunity(stored.pair_opportunity_id("value refused by Salesforce"))
    assert (opportunity["CloseDate"], opportunity["Description"], opportunity["Sync_Status__c"]) == (
        "2027-05-01",
        "Call again.",
        "Synced",
    )
    assert stored.stored_link(stored.pair_opportunity_id("create refused")).state is State.PARKED


def test_edits_made_before_the_recovery_are_kept(stored: StoredHarness) -> None:
    created = stored.pair_opportunity_id("create sent")
    stored.seller_edits(created, Amount=10001)
    stored.colleague_edits(stored.referral_of(created)["id"], details_closingDateTime="2027-03-03T00:00:00Z")
    arrived = stored.pair_referral("arrival made")["id"]
    stored.colleague_edits(arrived, status="Active", substatus="Accepted")
    stored.colleague_edits(arrived, details_dealValue=26000)
    stored.run_rounds()
    assert stored.pair_referral("create sent")["details"]["dealValue"] == 10001
    assert stored.opportunity(created)["CloseDate"] == "2027-03-03"
    assert stored.opportunity(stored.pair_opportunity_id("arrival made"))["Amount"] == 26000
    assert [stored.differences(stored.pair_opportunity_id(name)) for name in ("create sent", "arrival made")] == [
        [],
        [],
    ]


def test_an_edit_of_a_deal_with_long_notes_sends_only_the_edited_value(stored: StoredHarness) -> None:
    deal = stored.pair_opportunity_id("long notes")
    stored.seller_edits(deal, Amount=9)
    stored.push(after=MINUTE)
    details = stored.pair_referral("long notes")["details"]
    assert (details["dealValue"], details["notes"], len(details["requirements"]["solutions"])) == (9, long_notes(), 50)
    assert stored.stored_link(deal).base["notes"] == long_notes()
    assert count_new_lines(stored, deal) == 1


def test_new_deals_of_both_sides_are_synced_beside_the_stored_ones(stored: StoredHarness) -> None:
    deal, referral = stored.seller_creates(Name="New"), microsoft_sends_deal(stored, name="New arrival")
    stored.run_rounds(2)
    assert stored.differences(deal) == []
    assert [opportunity["Name"] for opportunity in opportunities_of(stored, referral)] == ["New arrival"]
